/** What stands under the timeline; then narrow screens, and paper. */
export const DETAILS_STYLES = `
.contradiction {
  margin-top: 20px;
  border-left: 3px solid var(--fail);
}
.contradiction pre {
  margin: 0;
  overflow: auto;
  color: var(--muted);
  font: 12px/1.5 var(--mono-font);
}
.contradiction li {
  padding: 3px 0;
  font-family: var(--mono-font);
  font-size: 12.5px;
  overflow-wrap: anywhere;
}
.details {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr));
  gap: 20px;
  margin-top: 20px;
}
.details .wide {
  grid-column: 1 / -1;
}
.details td,
.details th {
  padding: 6px 16px 6px 0;
  vertical-align: top;
  border-top: 1px solid var(--line);
}
.details thead th {
  border-top: 0;
  padding-top: 0;
  font-size: 12px;
  font-weight: 400;
  color: var(--muted);
}
.details td:last-child,
.details th:last-child {
  padding-right: 0;
}
.verdict-ok b {
  color: var(--pass);
}
.verdict-illegal b {
  color: var(--fail);
}
.verdict-unknown b {
  color: var(--warn);
}
.plain li {
  padding: 6px 0;
  border-top: 1px solid var(--line);
}
.plain li:first-child {
  border-top: 0;
  padding-top: 0;
}
.counters th {
  font-weight: 400;
}
.counters .bar {
  width: 45%;
  vertical-align: middle;
}
.counters .bar i {
  display: block;
  height: 6px;
  min-width: 1px;
  border-radius: 3px;
  background: var(--accent);
  opacity: 0.7;
}
.settings {
  gap: 4px 20px;
}
.faults td.number:first-child,
.faults thead th:first-child {
  text-align: left;
  width: 8em;
}
.faults td:nth-child(2) {
  text-align: left;
  width: 7em;
}

.scroll {
  max-height: 560px;
  overflow: auto;
}
.scroll thead th {
  position: sticky;
  top: 0;
  padding-bottom: 6px;
  background: var(--panel);
}

dialog {
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--panel);
  color: var(--ink);
  padding: 24px 28px;
  max-width: 560px;
  box-shadow: 0 24px 80px rgb(0 0 0 / 0.3);
}
dialog:focus-visible {
  outline: 0;
}
dialog::backdrop {
  background: rgb(0 0 0 / 0.3);
}
dialog dl {
  gap: 8px 20px;
}
kbd {
  font-family: var(--mono-font);
  font-size: 12px;
  padding: 1px 6px;
  border: 1px solid var(--line);
  border-bottom-width: 2px;
  border-radius: 4px;
  white-space: nowrap;
}
footer {
  max-width: 1760px;
  margin: 0 auto;
  padding: 12px 32px 40px;
  color: var(--faint);
  font-size: 12px;
}

@media (max-width: 1180px) {
  .workbench {
    grid-template-columns: minmax(0, 1fr);
  }
  .moment {
    position: static;
    max-height: none;
    columns: 2 300px;
    column-gap: 40px;
  }
  .moment h3 {
    break-after: avoid;
  }
  .moment ul,
  .moment table {
    break-inside: avoid;
  }
}
@media (max-width: 720px) {
  main {
    padding: 20px 14px 8px;
  }
  .timeline,
  .moment,
  .details > section,
  .contradiction {
    padding: 14px;
  }
  .facts {
    gap: 14px 28px;
  }
  .faults {
    min-width: 560px;
  }
}
@media print {
  :root {
    --page: #ffffff;
    print-color-adjust: exact;
  }
  main {
    padding: 0;
  }
  .zoom,
  .controls select,
  .replay button,
  .tooltip {
    display: none !important;
  }
  .workbench {
    display: block;
  }
  canvas {
    max-width: 100%;
  }
  .timeline,
  .moment,
  .details > section,
  .contradiction {
    padding: 12px 0;
    border-width: 1px 0 0;
    border-radius: 0;
  }
  .timeline,
  .moment {
    break-inside: avoid;
  }
  .details {
    display: block;
  }
  .moment,
  .scroll {
    max-height: none;
    overflow: visible;
  }
  tr,
  li {
    break-inside: avoid;
  }
}
`;
