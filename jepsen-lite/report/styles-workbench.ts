/** The timeline with its controls, and the panel of one moment. */
export const WORKBENCH_STYLES = `
.workbench {
  display: grid;
  grid-template-columns: minmax(0, 1fr) 336px;
  gap: 20px;
  align-items: start;
}
.timeline,
.moment,
.details > section,
.contradiction {
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 10px;
  padding: 20px;
}
.controls {
  display: flex;
  flex-wrap: wrap;
  gap: 8px;
  align-items: center;
  margin-bottom: 16px;
}
.controls select {
  max-width: 180px;
}
.kinds {
  order: 1;
  width: 100%;
  display: flex;
  flex-wrap: wrap;
  gap: 4px 14px;
  font-size: 12px;
  color: var(--muted);
}
.kinds > span {
  display: inline-flex;
  align-items: center;
  gap: 6px;
}
.kind {
  width: 14px;
  height: 9px;
  border-radius: 2.5px;
}
.kind-0 {
  background: var(--kind-0);
}
.kind-1 {
  background: var(--kind-1);
}
.kind-2 {
  background: var(--kind-2);
}
.kind-3 {
  background: var(--kind-3);
}
.kind-4 {
  background: var(--kind-4);
}
.kind-5 {
  background: var(--kind-5);
}
.kind-6 {
  background: var(--kind-6);
}
.kind-7 {
  background: var(--kind-7);
}
.kind-8 {
  background: var(--kind-8);
}
.kind-9 {
  background: var(--kind-9);
}
.kind-10 {
  background: var(--kind-10);
}
.kind-11 {
  background: var(--kind-11);
}
.kind.failed {
  border: 1px solid var(--muted);
}
.kind.open {
  background: linear-gradient(90deg, var(--warn), transparent);
  border-left: 2px solid var(--warn);
}
.zoom {
  margin-left: auto;
  display: flex;
  gap: 4px;
}
.canvases {
  position: relative;
}
canvas {
  display: block;
}
#overlay {
  position: absolute;
  inset: 0;
  touch-action: pan-y;
  cursor: crosshair;
}
.tooltip {
  position: absolute;
  z-index: 2;
  pointer-events: none;
  max-width: 380px;
  padding: 8px 12px;
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 8px;
  font-size: 12px;
  box-shadow: 0 6px 24px rgb(0 0 0 / 0.14);
}
.tooltip:not([hidden]),
#chosen,
.settings,
dialog dl {
  display: grid;
  grid-template-columns: max-content minmax(0, 1fr);
  gap: 2px 12px;
}
.tooltip dt,
#chosen dt,
.settings dt {
  color: var(--muted);
}
.tooltip dd,
#chosen dd,
.settings dd {
  overflow-wrap: anywhere;
}

.moment {
  position: sticky;
  top: 16px;
  max-height: calc(100vh - 32px);
  overflow: auto;
  font-size: 12.5px;
}
.moment h2 {
  font-size: 15px;
}
.moment th,
.moment td {
  padding: 3px 0 3px 8px;
  white-space: nowrap;
}
.moment th:first-child {
  padding-left: 0;
}
.moment thead th {
  font-weight: 400;
  font-size: 11.5px;
  color: var(--muted);
}
.moment tbody tr {
  border-top: 1px solid var(--line);
}
.moment .leader {
  color: var(--accent);
  font-weight: 600;
}
.moment .down,
.moment .bad {
  color: var(--process);
  font-weight: 600;
}
.moment .candidate,
.moment .preCandidate,
.moment .paused {
  color: var(--warn);
  font-weight: 600;
}
.moment li {
  display: flex;
  gap: 8px;
  align-items: baseline;
  padding: 1px 0;
  overflow-wrap: anywhere;
}
.moment .none,
.moment td.ok {
  color: var(--faint);
}
.moment td.disk,
.moment th:last-child {
  padding-left: 16px;
}
#moment-operations button {
  font-family: var(--mono-font);
  font-size: 11.5px;
}
.who {
  min-width: 2.4em;
  color: var(--muted);
  text-align: right;
}
.dot {
  flex: none;
  display: inline-block;
  width: 8px;
  height: 8px;
  margin-right: 8px;
  border-radius: 2px;
  background: var(--muted);
}
.moment .dot {
  margin-right: 0;
}
.dot.network {
  background: var(--network);
}
.dot.process {
  background: var(--process);
}
.dot.clock {
  background: var(--clock);
}
.dot.disk {
  background: var(--disk);
}
.dot.membership {
  background: var(--membership);
}
.dot.client {
  background: var(--client);
}
`;
