/** The whole style of a report. What policy lets it through is its hash. */
export const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#fff,#15181c);--raised:light-dark(#f5f6f8,#1d2127);--line:light-dark(#d5d9df,#363c45);
--ink:light-dark(#1b1f24,#e4e8ee);--quiet:light-dark(#57606a,#a3adb9);--link:light-dark(#0b57b8,#8ab8ff);--good:light-dark(#136c33,#6fd08c);
--bad:light-dark(#b3261e,#ff9d94);--warm:light-dark(#7a4b00,#f0bb60)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem 1.2rem 4rem;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,'DejaVu Sans',sans-serif;overflow-wrap:anywhere}
a{color:var(--link)}
code,pre{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:.87em;unicode-bidi:isolate}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}h3{font-size:1rem}
.quiet,caption,dt,th{color:var(--quiet);font-weight:400}
.state{font-weight:600;white-space:nowrap}
.succeeded{color:var(--good)}.failed,.rejected{color:var(--bad)}.unknown,.canceled,.skipped{color:var(--warm)}
.cause{border-inline-start:4px solid var(--quiet);background:var(--raised);padding:.4rem 1rem}
pre{background:var(--raised);border:1px solid var(--line);padding:.6rem .8rem;max-height:32rem;overflow:auto;white-space:pre-wrap}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:start}
th,td{text-align:start;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
.track{width:34%}svg{display:block;width:100%;height:.8rem;margin-top:.3rem}
rect{fill:var(--quiet)}rect.running{fill:var(--good)}rect.creating,rect.starting{fill:var(--link)}rect.waiting,rect.ready{fill:var(--warm)}
dl>div{display:grid;grid-template-columns:minmax(0,10rem) minmax(0,1fr);gap:.2rem 1rem}dd{margin:0}
summary{cursor:pointer;padding:.2rem 0}
@media (max-width:46rem){.track,th:last-child{display:none}}
@media print{pre{max-height:none}}
`;
