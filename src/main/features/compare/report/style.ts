/** The report's look: light and dark by the reader's own setting, and plain on paper. */
export const STYLE = `
:root { --text: #1b1b1b; --quiet: #595959; --ground: #ffffff; --plate: #f4f4f4; --grid: #dcdcdc; --clear: #b06000; --unclear: #757575; --series-a: #757575; --series-b: #b06000; --series-c: #005c46; --series-d: #7a1160; }
@media (prefers-color-scheme: dark) { :root { --text: #ececec; --quiet: #a8a8a8; --ground: #161616; --plate: #222222; --grid: #383838; --clear: #f5a524; --unclear: #9a9a9a; --series-a: #a6a6a6; --series-b: #f5a524; --series-c: #4fe8a4; --series-d: #ea3a66; } }
@media print { :root { --text: #000000; --quiet: #444444; --ground: #ffffff; --plate: #ffffff; --grid: #cccccc; --clear: #b06000; --unclear: #757575; --series-a: #666666; --series-b: #b06000; --series-c: #005c46; --series-d: #7a1160; } section.pair { break-before: page; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.5 Inter, system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 920px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 12px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 40px 0 12px; overflow-wrap: anywhere; } h3 { font-size: 15px; margin: 28px 0 8px; } h4 { font-size: 14px; margin: 16px 0 8px; }
p { margin: 0 0 8px; } .quiet, figcaption { color: var(--quiet); font-size: 12px; }
table { border-collapse: collapse; font-size: 13px; margin: 8px 0 12px; } th, td { text-align: left; font-weight: 400; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--grid); vertical-align: top; } thead th { color: var(--quiet); font-size: 12px; } .n { text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; } figure { margin: 12px 0 20px; } figure svg { display: block; max-width: 100%; height: auto; } figcaption { margin-top: 6px; } .forest svg { min-width: 660px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 24px; } .two figure { margin-bottom: 8px; }
.matrix { border-spacing: 0; } .matrix td, .matrix tbody th { padding: 8px 16px; background: var(--plate); } .matrix thead td { background: none; border: 0; }
.examples { list-style: none; padding: 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 16px; } .examples p { margin: 4px 0 0; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; } .sides img { width: 100%; display: block; } .sides span { font-size: 12px; color: var(--quiet); }
details summary { cursor: pointer; } code { font-size: 12px; color: var(--quiet); } ul { padding-left: 20px; } footer { margin-top: 48px; border-top: 1px solid var(--grid); padding-top: 12px; }
`
