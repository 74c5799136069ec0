/** Colours and fonts, light and dark, on paper light. The script of the page reads the names. */
export const THEME = `
:root {
  color-scheme: light dark;
  --text-font:
    "Inter", "SF Pro Text", -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  --mono-font:
    ui-monospace, "SF Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --page: #f6f6f4;
  --panel: #ffffff;
  --ink: #1c2024;
  --muted: #666d76;
  --faint: #9299a1;
  --line: #e7e8e6;
  --accent: #2f64b5;
  --dense: #9db4d4;
  --on-accent: #ffffff;
  --pass: #2b7a4b;
  --fail: #c2352b;
  --warn: #c98a15;
  --follower: #c3cbd6;
  --learner: #b9aedb;
  --network: #5b7f9e;
  --process: #b8643c;
  --clock: #8468b0;
  --disk: #96703a;
  --membership: #3f8a82;
  --client: #a3557f;
  --kind-0: #5a86c9;
  --kind-1: #2c8f83;
  --kind-2: #8a6bbf;
  --kind-3: #b5703f;
  --kind-4: #5f8f3e;
  --kind-5: #b2577c;
  --kind-6: #4f7f99;
  --kind-7: #8b8142;
  --kind-8: #6a74c4;
  --kind-9: #4d9a63;
  --kind-10: #a0616a;
  --kind-11: #75808c;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #131518;
    --panel: #1a1d21;
    --ink: #e6e8ea;
    --muted: #969da6;
    --faint: #6a717a;
    --line: #2a2e34;
    --accent: #5e92df;
    --dense: #4a6184;
    --on-accent: #0f1215;
    --pass: #5db582;
    --fail: #ee6d60;
    --warn: #dea63c;
    --follower: #454d58;
    --learner: #5d5380;
    --network: #7ba0c0;
    --process: #d98a62;
    --clock: #a68fd3;
    --disk: #c09a5f;
    --membership: #63b0a7;
    --client: #c9809f;
    --kind-0: #74a0e2;
    --kind-1: #4fb3a6;
    --kind-2: #a78ed9;
    --kind-3: #d3946a;
    --kind-4: #86b566;
    --kind-5: #d47f9f;
    --kind-6: #78a9c4;
    --kind-7: #b5aa66;
    --kind-8: #949ce6;
    --kind-9: #74c08b;
    --kind-10: #cf8f97;
    --kind-11: #9aa5b1;
  }
}
`;
