//! A backtest as one page of HTML that needs nothing else: no network, no script, light and dark.

mod journeys;
mod plot;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::cli::backtest::compare::Comparison;
use crate::cli::backtest::summary::{Counts, Day, Journey, Summary};
use plot::{ALONE, NARROW, Series, WIDE, bars};
use text::{delta, escape, thousands};

/// So many days are drawn without gaps; of a longer time only the days with sends.
const DAYS_MAX: i64 = 1_000;

const STYLE: &str = include_str!("style.css");

/// What the page is about.
pub struct Page<'a> {
    /// The policies, as they were named.
    pub policies: String,
    /// What they are compared with, as it was named.
    pub against: Option<String>,
    /// What came of them.
    pub after: &'a Summary,
    /// What came of both.
    pub comparison: Option<&'a Comparison>,
}

/// A count on both sides; `before` is absent where nothing is compared.
#[derive(Clone, Copy)]
struct Pair {
    before: Option<u64>,
    after: u64,
}

impl Page<'_> {
    /// Writes the page.
    pub fn html(&self) -> String {
        let mut html = String::with_capacity(64 << 10);
        let title = match &self.against {
            Some(against) => format!("{} against {against}", self.policies),
            None => self.policies.clone(),
        };
        html.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">");
        add(
            &mut html,
            format_args!("<title>Backtest of {}</title>", escape(&title)),
        );
        add(
            &mut html,
            format_args!("<style>{STYLE}</style></head><body><main>"),
        );
        self.header(&mut html);
        self.cards(&mut html);
        self.changes(&mut html);
        self.days(&mut html);
        let (idle, busy): (Vec<_>, Vec<_>) = self
            .journeys()
            .into_iter()
            .partition(|(_, before, after)| journeys::is_idle(before.as_ref(), after));
        for (name, before, after) in busy {
            journeys::section(&mut html, &name, before.as_ref(), &after);
        }
        journeys::idle(&mut html, idle.iter().map(|(name, ..)| name.as_ref()));
        self.offers(&mut html);
        self.table(&mut html);
        self.footer(&mut html);
        html.push_str("</main></body></html>\n");
        html
    }

    fn before(&self) -> Option<&Summary> {
        self.comparison.map(|comparison| &comparison.before)
    }

    fn header(&self, html: &mut String) {
        html.push_str("<header><p class=\"brand\">Attune · backtest</p><h1>");
        add(html, format_args!("{}", escape(&self.policies)));
        if let Some(against) = &self.against {
            add(
                html,
                format_args!(" <span class=\"versus\">against</span> {}", escape(against)),
            );
        }
        html.push_str("</h1><p class=\"range\">");
        if let Some(from) = self.after.from {
            add(
                html,
                format_args!(
                    "{} – {} UTC · ",
                    minute(&from.to_string()),
                    minute(&self.after.clock.to_string())
                ),
            );
        }
        let (events, customers) = (
            thousands(self.after.events),
            thousands(self.after.customers),
        );
        add(
            html,
            format_args!("{events} events of {customers} customers</p>"),
        );
        if self.against.is_some() {
            html.push_str("<p class=\"legend\"><span class=\"key was\"></span>before: the policies compared with <span class=\"key is\"></span>after: the policies on trial</p>");
        }
        html.push_str("</header>");
    }

    fn cards(&self, html: &mut String) {
        let after = self.after.total();
        let before = self.before().map(Summary::total);
        let pair = |of: fn(&Journey) -> u64| Pair {
            before: before.as_ref().map(of),
            after: of(&after),
        };
        html.push_str("<section class=\"cards\">");
        let all = [
            ("entries", pair(|of| of.entries)),
            ("actions sent", pair(|of| sum(&of.actions))),
            ("goals reached", pair(goals)),
            ("held back", pair(|of| sum(&of.blocked))),
            ("still open", pair(|of| of.open)),
        ];
        for (name, pair) in all {
            card(html, name, &thousands(pair.after), &delta(pair));
        }
        html.push_str("</section>");
    }

    /// Says what changes for customers.
    fn changes(&self, html: &mut String) {
        let Some(of) = self.comparison else { return };
        html.push_str("<section class=\"cards\">");
        let all = [
            ("actions gained", of.gained, "sent after, not before"),
            ("actions lost", of.lost, "sent before, not after"),
            ("actions kept", of.kept, "sent by both at the same time"),
            ("customers get more", of.customers_gaining, "than before"),
            ("customers get fewer", of.customers_losing, "than before"),
            (
                "customers shifted",
                of.customers_shifted,
                "as many, but others or at other times",
            ),
        ];
        for (name, n, what) in all {
            let more = format!("<span class=\"muted\">{what}</span>");
            card(html, name, &thousands(n), &more);
        }
        html.push_str("</section>");
    }

    /// Draws the sends of every day: one plot of all channels, or, compared, one a channel.
    fn days(&self, html: &mut String) {
        let (days, channels) = (self.all_days(), self.channels());
        if days.is_empty() {
            html.push_str(
                "<section><h2>Sends per day</h2><p class=\"muted\">Nothing was sent.</p></section>",
            );
            return;
        }
        let values = |of: &Summary, channel: &Arc<str>| {
            let n = |day: &Day| of.days.get(day).and_then(|counts| counts.get(channel));
            days.iter()
                .map(|day| n(day).copied().unwrap_or(0))
                .collect()
        };
        html.push_str("<section><h2>Sends per day and channel</h2>");
        let Some(before) = self.before() else {
            let mut series = Vec::new();
            for (idx, channel) in channels.iter().enumerate() {
                series.push(Series {
                    name: channel,
                    class: format!("c{}", idx % 6),
                    values: values(self.after, channel),
                });
            }
            legend(html, &series);
            html.push_str(&bars(&days, &series, WIDE));
            return html.push_str("</section>");
        };
        let (class, look) = grid(channels.len());
        add(html, format_args!("<div class=\"{class}\">"));
        for channel in &channels {
            let side = |name, class: &str, of| Series {
                name,
                class: class.into(),
                values: values(of, channel),
            };
            let series = [
                side("before", "was", before),
                side("after", "is", self.after),
            ];
            let [n_before, n_after] = [0, 1].map(|idx: usize| series[idx].values.iter().sum());
            let pair = Pair {
                before: Some(n_before),
                after: n_after,
            };
            add(
                html,
                format_args!(
                    "<figure><figcaption>{} <b>{}</b> {}</figcaption>",
                    escape(channel),
                    thousands(n_after),
                    delta(pair)
                ),
            );
            html.push_str(&bars(&days, &series, look));
            html.push_str("</figure>");
        }
        html.push_str("</div></section>");
    }

    /// Returns the days from the first to the last with sends.
    fn all_days(&self) -> Vec<Day> {
        let sides = [self.before(), Some(self.after)].into_iter().flatten();
        let days: BTreeSet<Day> = sides.flat_map(|of| of.days.keys().copied()).collect();
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Vec::new();
        };
        if last.0 - first.0 >= DAYS_MAX {
            return days.into_iter().collect();
        }
        (first.0..=last.0).map(Day).collect()
    }

    fn channels(&self) -> BTreeSet<Arc<str>> {
        let sides = [self.before(), Some(self.after)].into_iter().flatten();
        let days = sides.flat_map(|of| of.days.values());
        days.flat_map(|counts| counts.keys().cloned()).collect()
    }

    /// Returns the journeys of either side by name; one that a side does not have is empty there.
    fn journeys(&self) -> Vec<(Arc<str>, Option<Journey>, Journey)> {
        let before = self.before().map(|before| &before.journeys);
        let names = self.after.journeys.keys();
        let names: BTreeSet<_> = names
            .chain(before.into_iter().flat_map(|of| of.keys()))
            .collect();
        let of = |name: &Arc<str>| {
            let before = before.map(|of| of.get(name).cloned().unwrap_or_default());
            let after = self.after.journeys.get(name).cloned().unwrap_or_default();
            (name.clone(), before, after)
        };
        names.into_iter().map(of).collect()
    }

    fn offers(&self, html: &mut String) {
        let before = self.before().map(|before| &before.offers);
        if self.after.offers.is_empty() && before.is_none_or(Counts::is_empty) {
            return;
        }
        html.push_str("<section><h2>Offers chosen within journeys</h2>");
        journeys::reasons(html, "", before, &self.after.offers);
        html.push_str("</section>");
    }

    fn table(&self, html: &mut String) {
        let (days, channels) = (self.all_days(), self.channels());
        if days.is_empty() {
            return;
        }
        html.push_str("<section><details><summary>Sends per day as a table</summary><div class=\"scroll\"><table><thead><tr><th>day</th>");
        for channel in &channels {
            add(html, format_args!("<th>{}</th>", escape(channel)));
        }
        html.push_str("</tr></thead><tbody>");
        for day in &days {
            add(html, format_args!("<tr><th>{day}</th>"));
            let n = |of: &Summary, channel| {
                of.days
                    .get(day)
                    .and_then(|counts| counts.get(channel))
                    .copied()
                    .unwrap_or(0)
            };
            for channel in &channels {
                let after = n(self.after, channel);
                let pair = Pair {
                    before: self.before().map(|of| n(of, channel)),
                    after,
                };
                add(
                    html,
                    format_args!("<td>{} {}</td>", thousands(after), delta(pair)),
                );
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div></details></section>");
    }

    fn footer(&self, html: &mut String) {
        let of = self.after;
        add(
            html,
            format_args!(
                "<footer><p>{} duplicates · {} lines that are no events · {} out of order. Days are of UTC. Attune {}.</p></footer>",
                thousands(of.duplicates),
                thousands(of.undecodable),
                thousands(of.out_of_order),
                env!("CARGO_PKG_VERSION"),
            ),
        );
    }
}

fn card(html: &mut String, name: &str, value: &str, more: &str) {
    add(
        html,
        format_args!("<div class=\"card\"><p>{name}</p><b>{value}</b>{more}</div>"),
    );
}

fn legend(html: &mut String, series: &[Series<'_>]) {
    html.push_str("<p class=\"legend\">");
    for of in series {
        let n = thousands(of.values.iter().sum());
        add(
            html,
            format_args!(
                "<span class=\"key {}\"></span>{} {n} ",
                of.class,
                escape(of.name)
            ),
        );
    }
    html.push_str("</p>");
}

/// Returns the runs that ended as converted.
fn goals(journey: &Journey) -> u64 {
    journey.exits.get("converted").copied().unwrap_or(0)
}

fn sum(counts: &Counts) -> u64 {
    counts.values().sum()
}

/// Cuts a time to the minute.
fn minute(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

fn add(html: &mut String, text: std::fmt::Arguments<'_>) {
    // INVARIANT: writing to a string does not fail.
    let _ = html.write_fmt(text);
}

/// Returns how so many plots stand: one has the whole page.
fn grid(n_plots: usize) -> (&'static str, plot::Look) {
    if n_plots == 1 {
        ("alone", ALONE)
    } else {
        ("grid", NARROW)
    }
}
