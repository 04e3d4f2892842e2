//! The report as one HTML page that needs nothing else: light and dark, on a phone, and printed.

use super::text::{self, Judged, Section, judged, sections};
use super::{Disagreement, Report, percent};
use crate::decide::facts::expiry;
use crate::decide::note::markup::escape;
use crate::learn::charts::{self, Part};

const CSS: &str = "
:root{color-scheme:light dark;--ink:#1f1e24;--quiet:#626168;--paper:#fff;--line:#dcdcde}
@media (prefers-color-scheme:dark){:root{--ink:#ececef;--quiet:#a4a3a8;--paper:#18171d;--line:#3a383f}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:56rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .4rem}
p.made,caption,.quiet{color:var(--quiet);font-size:.875rem}p.made{margin:.2rem 0 1.4rem}
ul.figures{list-style:none;padding:0;margin:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1rem}
ul.figures li{border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem}
ul.figures b{display:block;font-size:1.6rem;line-height:1.3}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%}caption{text-align:left;padding-bottom:.3rem}
th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}tbody th{min-width:8rem}thead th{color:var(--quiet);font-size:.875rem;font-weight:400}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.drawn{width:30%}td.judged{width:22%}.said td,.said th{vertical-align:top}td.words{overflow-wrap:anywhere;min-width:11rem}
.key span{white-space:nowrap}.key svg.bar{display:inline-block;width:1.2rem;min-width:0;vertical-align:middle;margin:0 .3rem 0 .8rem}
@media (max-width:34rem){td.drawn{width:25%}.two td.drawn,.two th.drawn{display:none}th,td{padding-right:.6rem}tbody th{overflow-wrap:anywhere;min-width:6rem}
.said thead{display:none}.said tr,.said th,.said td{display:block}.said th,.said td{padding:.1rem 0;border:0}.said tr{padding:.5rem 0;border-bottom:1px solid var(--line)}}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}tr{break-inside:avoid}}
";

/// The report as a page.
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>STAR report</title>\n<style>{}{CSS}</style>\n<main>\n<h1>STAR report</h1>\n<p class=\"made\">{}, made {}</p>\n",
        charts::CSS,
        report.since.map_or_else(|| "All that is kept".to_owned(), |since| format!("Since {}", expiry::moment(since))),
        expiry::exact(report.made_at),
    );
    page.push_str(&body(report, Tickets::Named));
    page.push_str("</main>\n");
    page
}

/// Whether a ticket's number leads to its page at the console.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tickets {
    /// It does.
    Linked,
    /// It is a name alone, where the page stands by itself.
    Named,
}

/// What the page says below its heading, for another page.
pub fn body(report: &Report, tickets: Tickets) -> String {
    let mut body = figures(report);
    body.extend(sections(report).iter().filter(|it| !it.rows.is_empty()).map(section));
    body.push_str(&disagreements(report, tickets));
    body
}

/// The few figures that are read first, and the sentence that says what they rest on.
fn figures(report: &Report) -> String {
    let dash = || "–".to_owned();
    let decisions = if report.decisions == 1 { "decision" } else { "decisions" };
    let figures = [
        (text::grouped(report.decisions), format!("{decisions} on {}", text::many(report.tickets, "new ticket"))),
        (
            report.agreement().map_or_else(dash, |rate| format!("{rate} %")),
            format!("agreement, of {} somebody judged", text::many(report.agreed + report.disagreed, "verdict")),
        ),
        (report.waited.map_or_else(dash, |waited| text::median(&waited)), "from star to verdict, median".into()),
        (text::hours(report.saved.minutes), "saved, estimated".into()),
    ];
    let items = figures.iter().map(|(figure, words)| format!("<li><b>{}</b>{}</li>\n", escape(figure), escape(words)));
    let took = report.noted.as_ref().map(|noted| format!("{}.", text::took(noted)));
    let lines: Vec<String> = text::settled(report).into_iter().chain(took).chain([text::saved(report)]).collect();
    let assumption = lines.join(" ");
    format!(
        "<ul class=\"figures\">\n{}</ul>\n<p class=\"quiet\">{}</p>\n",
        items.collect::<String>(),
        escape(&assumption)
    )
}

fn section(Section { title, rows, whole, judged: is }: &Section<'_>) -> String {
    let most = rows.iter().map(|row| row.count).max().unwrap_or_default();
    let title = escape(title);
    let mut html = format!("<h2>{title}</h2>\n");
    let (class, opinion) = match is {
        Judged::Yes => {
            html.push_str(&format!(
                "<p class=\"quiet key\">Of those somebody judged: <span>{}agreed</span> <span>{}disagreed</span></p>\n",
                charts::bar(&[(Part::Good, 1)], 1, ""),
                charts::bar(&[(Part::Bad, 1)], 1, "")
            ));
            (" class=\"two\"", "<th scope=\"col\">Judged</th>")
        }
        Judged::No => ("", ""),
    };
    html.push_str(&format!(
        "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table{class}><thead><tr><th scope=\"col\">What</th><th scope=\"col\" class=\"number\">How many</th><th scope=\"col\" class=\"drawn\">Share</th>{opinion}</tr></thead><tbody>\n"
    ));
    for row in *rows {
        let share = percent(row.count, *whole).unwrap_or_default();
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{} ({share} %)</td><td class=\"drawn\">{}</td>",
            escape(&row.label),
            row.count,
            charts::bar(&[(Part::Count, row.count)], most, &format!("{} of {whole}", row.count)),
        ));
        if *is == Judged::Yes {
            let parts = [(Part::Good, row.agreed), (Part::Bad, row.disagreed)];
            let words = format!("{} agreed, {} disagreed", row.agreed, row.disagreed);
            let bar = charts::bar(&parts, row.agreed + row.disagreed, &words);
            let bar = if row.agreed + row.disagreed > 0 { bar } else { String::new() };
            html.push_str(&format!(
                "<td class=\"judged\">{bar}<span class=\"quiet\">{}</span></td>",
                escape(&judged(row))
            ));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

fn disagreements(report: &Report, tickets: Tickets) -> String {
    if report.disagreements.is_empty() {
        return String::new();
    }
    let mut html =
        "<h2>Disagreements, newest first</h2>\n<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Disagreements\"><table class=\"said\"><thead><tr><th scope=\"col\">Ticket</th>\
        <th scope=\"col\">Verdict</th><th scope=\"col\">Why</th><th scope=\"col\">Who</th></tr></thead><tbody>\n"
            .to_owned();
    html.extend(report.disagreements.iter().map(|it| disagreement(it, tickets)));
    html.push_str("</tbody></table></div>\n");
    if report.disagreements_left_out > 0 {
        html.push_str(&format!("<p class=\"quiet\">and {} older ones</p>\n", report.disagreements_left_out));
    }
    html
}

fn disagreement(it: &Disagreement, tickets: Tickets) -> String {
    let name = format!("{}/{}", escape(&it.account), it.ticket);
    let name = match tickets {
        Tickets::Linked => format!("<a href=\"/tickets/{name}\">{name}</a>"),
        Tickets::Named => name,
    };
    format!(
        "<tr><th scope=\"row\">{name}<br><span class=\"quiet\">ref {}</span></th><td>{}</td><td class=\"words\">{}</td><td>{}<br><span class=\"quiet\">{}, by {}</span></td></tr>\n",
        escape(&it.reference),
        escape(&it.verdict.replace('_', " ")),
        escape(if it.why.is_empty() { "–" } else { &it.why }),
        escape(&it.who),
        expiry::exact(it.at),
        escape(&it.way),
    )
}
