//! How a script runs its scenario: what does not change the race, only how often it hits.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Differences from the usual script; an empty one is the usual script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tuning {
    /// Objects of each stride; usually growing from 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects: Option<usize>,
    /// Most loop turns by which one thread comes late; usually five values in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<u32>,
    /// Turns of each thread on a slot before the threads are started anew; usually 4000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// Every so many turns the slot's object is replaced (a power of two); usually four values
    /// in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<u32>,
    /// Seconds between two switches of threads, where there is a GIL; usually 10 µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch_interval: Option<f64>,
    /// Whether a script of a crash in strides looks at the results and objects of every third one, as a hunt does:
    /// what was freed too early may only die there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub look: bool,
    /// Environment that the VM reads as it starts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// The usual script.
pub static USUAL: Tuning = Tuning {
    objects: None,
    lag: None,
    turns: None,
    replace: None,
    switch_interval: None,
    look: false,
    environment: BTreeMap::new(),
};

impl Tuning {
    /// Whether it changes nothing.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(n) = self.objects {
            parts.push(format!("{n} objects a stride"));
        }
        if let Some(n) = self.lag {
            parts.push(format!("lag up to {n} turns"));
        }
        if let Some(n) = self.turns {
            parts.push(format!("{n} turns on the slot"));
        }
        if let Some(n) = self.replace {
            parts.push(format!("object replaced every {n} turns"));
        }
        if let Some(s) = self.switch_interval {
            parts.push(format!("switch interval {s} s"));
        }
        if self.look {
            parts.push("results looked at".to_owned());
        }
        for (name, value) in &self.environment {
            parts.push(format!("{name}={value}"));
        }
        if parts.is_empty() {
            parts.push("as usual".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}
