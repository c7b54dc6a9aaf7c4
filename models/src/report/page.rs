//! The matrix as one self-contained page.

use super::MatrixRow;
use std::fmt::Write as _;

const HEAD: &str = "\
<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Threadbare: protocols and what checks them</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
table { border-collapse: collapse }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top }
th { font-weight: 600; background: #f4f6f8 }
th:first-child, td:first-child, th.names, td.names { text-align: left }
thead tr:first-child th { text-align: center; border-bottom: 0 }
td.all { background: #e3f3e6 }
td.some { background: #fdf4d9 }
td.none { color: #999 }
td.names { font-size: 12px; max-width: 30rem }
p { max-width: 60rem }
</style></head><body>
<h1>Protocols and what checks them</h1>
<table><thead>
<tr><th></th><th colspan=\"2\">stated</th><th colspan=\"3\">faults killed by</th><th>faults</th>\
<th colspan=\"3\">met in</th><th></th></tr>
<tr><th>protocol</th><th>properties</th><th>scenarios</th><th>explorer</th><th>loom</th>\
<th>shuttle</th><th>omitted</th><th>native</th><th>probes</th><th>bugs</th><th class=\"names\">VM probes</th></tr>
</thead><tbody>
";

/// The matrix as a page; `probes` names the VM probes of each row, or says why there are none.
pub fn matrix_page(rows: &[MatrixRow], probes: &[String]) -> String {
    let mut page = HEAD.to_owned();
    for (row, probes) in rows.iter().zip(probes) {
        let _ = write!(page, "<tr><td>{}</td>", escaped(&row.protocol));
        let count = |n: usize| match n {
            0 => "<td class=\"none\">·</td>".to_owned(),
            n => format!("<td>{n}</td>"),
        };
        let killed = |n: usize| match row.mutants {
            0 => count(0),
            all if n == all => format!("<td class=\"all\">{n}/{all}</td>"),
            all => format!("<td class=\"some\">{n}/{all}</td>"),
        };
        page += &(count(row.properties) + &count(row.scenarios));
        page += &(killed(row.explorer) + &killed(row.loom) + &killed(row.shuttle));
        page += &count(row.not_expressed);
        page += if row.native { "<td>yes</td>" } else { "<td class=\"none\">·</td>" };
        page += &(count(row.probes) + &count(row.bugs));
        let _ = writeln!(page, "<td class=\"names\">{}</td></tr>", escaped(probes));
    }
    page + "</tbody></table>
<p>n/m: of m planted faults the engine is expected to find n, and <code>cargo test</code> holds it to \
that; green: all, yellow: the others need another memory model or more preemptions \
(<code>threadbare check PROTOCOL --mutants</code> says which). omitted: faults named in the \
literature that the model cannot express, with reasons there. ·: nothing.</p>
</body></html>
"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
