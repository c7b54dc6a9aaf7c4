//! Which orders a scheme needs: each is weakened by itself, and the explorer goes through
//! all scenarios of the protocol again.

use super::{Budget, Program, apart, explorer};
use crate::runtime::weaken::{self, Role, Site};
use crate::verdict::Verdict;
use serde::Serialize;
use std::sync::atomic::Ordering;

/// A weaker order at one place, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Weakened {
    /// Source file and line.
    pub place: String,
    /// `load`, `store`, `update` or `fence`.
    pub step: &'static str,
    /// The order in the source.
    pub stated: String,
    /// The order tried; `Relaxed` for a fence means that there is none.
    pub tried: String,
    /// A scenario that then breaks a property and the kind of the violation; `None` when
    /// all scenarios pass.
    pub broken: Option<(String, &'static str)>,
    /// Scenarios whose search was not exhausted.
    pub sampled: usize,
}

/// Weakens every order that a faithful scheme takes in these scenarios of it.
pub(crate) fn audit(scenarios: Vec<Program>, budget: Budget) -> Vec<Weakened> {
    apart(move || {
        let sites = weaken::collected(|| {
            for scenario in &scenarios {
                explorer::check(scenario, budget);
            }
        });
        let mut all = Vec::new();
        for site in sites {
            // Of two orders in one, both alone; weaker than an order that is needed, none.
            let mut needed: Vec<Ordering> = Vec::new();
            for tried in site.weaker() {
                if needed.iter().any(|order| includes(*order, *tried)) {
                    continue;
                }
                let mut sampled = 0;
                let broken = weaken::with(site, *tried, || {
                    scenarios.iter().find_map(|scenario| match explorer::check(scenario, budget) {
                        Verdict::Violated(f) => {
                            Some((scenario.name.to_string(), f.violation.kind.name()))
                        }
                        Verdict::Exhausted(_) => None,
                        // A scenario that was not run says nothing of an order either.
                        Verdict::Passed { .. } | Verdict::Unsupported { .. } => {
                            sampled += 1;
                            None
                        }
                    })
                });
                if broken.is_some() {
                    needed.push(*tried);
                }
                all.push(row(site, *tried, broken, sampled));
            }
        }
        all
    })
}

/// Whether `weaker` orders nothing that `stronger` does not.
fn includes(stronger: Ordering, weaker: Ordering) -> bool {
    use Ordering::{AcqRel, Relaxed, SeqCst};
    stronger == weaker || weaker == Relaxed || stronger == SeqCst || stronger == AcqRel
}

fn row(
    site: Site,
    tried: Ordering,
    broken: Option<(String, &'static str)>,
    sampled: usize,
) -> Weakened {
    let file = site.place.file();
    let file = file.rsplit_once("src/").map_or(file, |(_, file)| file);
    Weakened {
        place: format!("{file}:{}", site.place.line()),
        step: match site.role {
            Role::Load => "load",
            Role::Store => "store",
            Role::Update => "update",
            Role::Fence => "fence",
        },
        stated: format!("{:?}", site.stated),
        tried: format!("{tried:?}"),
        broken,
        sampled,
    }
}
