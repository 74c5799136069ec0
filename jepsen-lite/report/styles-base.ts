/** How the page is set: text, buttons, the verdict. Measures are multiples of 4 px. */
export const BASE_STYLES = `
* {
  box-sizing: border-box;
}
html {
  -webkit-text-size-adjust: 100%;
}
body {
  margin: 0;
  background: var(--page);
  color: var(--ink);
  font: 14px/1.5 var(--text-font);
  font-variant-numeric: tabular-nums;
  -webkit-font-smoothing: antialiased;
}
main {
  max-width: 1760px;
  margin: 0 auto;
  padding: 28px 32px 16px;
}
h1,
h2,
h3,
p,
dl,
dd,
ul,
ol,
table {
  margin: 0;
  padding: 0;
}
h2 {
  font-size: 15px;
  font-weight: 600;
  letter-spacing: -0.005em;
  margin-bottom: 12px;
}
h3 {
  font-size: 12px;
  font-weight: 600;
  color: var(--muted);
  margin: 18px 0 6px;
}
code,
.hash {
  font-family: var(--mono-font);
  font-size: 0.92em;
}
ul,
ol {
  list-style: none;
}
table {
  border-collapse: collapse;
  width: 100%;
}
th {
  font-weight: 600;
  text-align: left;
}
.number {
  text-align: right;
  white-space: nowrap;
}
.more {
  color: var(--muted);
}
.lead {
  color: var(--muted);
  margin-bottom: 12px;
}

button,
select {
  font: inherit;
  font-size: 13px;
  line-height: 20px;
  color: var(--ink);
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 3px 10px;
  cursor: pointer;
}
button:hover,
select:hover {
  border-color: var(--faint);
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}
button.strong {
  background: var(--fail);
  border-color: var(--fail);
  color: var(--on-accent);
  font-weight: 600;
}
button.link {
  border: 0;
  padding: 0;
  background: none;
  text-align: left;
  font: inherit;
  color: inherit;
}
button.link:hover {
  text-decoration: underline;
  text-underline-offset: 3px;
}

.verdict {
  margin-bottom: 20px;
}
.eyebrow {
  color: var(--muted);
  font-size: 13px;
}
h1 {
  display: flex;
  align-items: center;
  gap: 14px;
  margin: 6px 0 8px;
  font-size: 34px;
  line-height: 1.15;
  font-weight: 650;
  letter-spacing: -0.022em;
}
.lamp {
  width: 14px;
  height: 14px;
  border-radius: 50%;
  background: var(--warn);
}
.passed .lamp {
  background: var(--pass);
}
.violation .lamp {
  background: var(--fail);
}
.sentence {
  font-size: 18px;
  line-height: 1.45;
  max-width: 76ch;
  overflow-wrap: anywhere;
}
.replay {
  display: flex;
  flex-wrap: wrap;
  gap: 8px;
  align-items: center;
  margin-top: 16px;
}
.replay code {
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 4px 12px;
  overflow-wrap: anywhere;
  user-select: all;
}
.facts {
  display: flex;
  flex-wrap: wrap;
  gap: 16px 44px;
  margin-top: 20px;
  padding-top: 16px;
  border-top: 1px solid var(--line);
}
.facts dt {
  color: var(--muted);
  font-size: 12px;
}
.facts dd {
  font-size: 21px;
  line-height: 1.3;
  font-weight: 550;
  letter-spacing: -0.01em;
}
.facts dd.more {
  font-size: 12px;
  font-weight: 400;
  letter-spacing: 0;
}
.facts dd.hash {
  font-size: 15px;
  line-height: 27px;
  letter-spacing: 0;
}
`;
