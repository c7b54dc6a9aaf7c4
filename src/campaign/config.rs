//! A campaign's file: which VMs, how long, in how many shards.

use anyhow::{Context, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use threadbare_stress::campaign::shard::{MOST, Shard};

/// A campaign as its file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// VMs, each as `hunt --vm` takes it.
    pub vms: Vec<String>,
    /// Time of each hunt: of each shard of each VM.
    #[serde(deserialize_with = "time")]
    pub time: Duration,
    /// Seed of all scenarios.
    #[serde(default = "one")]
    pub seed: u64,
    /// Hunts of each VM, which share its scenarios.
    #[serde(default = "whole")]
    pub shards: usize,
    /// Subjects, as `hunt --subject` takes them; all when empty.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Output folder; beside the file when it is not absolute.
    #[serde(default = "out")]
    pub out: PathBuf,
    /// More words for every hunt, as `["--threads", "3"]`.
    #[serde(default)]
    pub options: Vec<String>,
}

fn one() -> u64 {
    1
}

fn whole() -> usize {
    1
}

fn out() -> PathBuf {
    PathBuf::from("campaign-out")
}

fn time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    crate::time::parse(&text).map_err(serde::de::Error::custom)
}

/// Words that a campaign gives itself.
const OWN: [&str; 7] = [
    "--vm",
    "--time",
    "--seed",
    "--shard",
    "--subject",
    "--out",
    "--format",
];

impl Config {
    /// Reads a campaign's file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or says what cannot be.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| {
            format!("cannot read {shown}; `threadbare campaign --help` shows one")
        })?;
        let mut config =
            Self::parse(&text).map_err(|e| e.context(format!("{shown} is no campaign")))?;
        if let Some(beside) = path.parent() {
            config.out = beside.join(&config.out);
        }
        Ok(config)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text)?;
        if config.vms.is_empty() {
            bail!("`vms` is empty; name at least one, as [\"rustpython\"]");
        }
        if config.shards == 0 || config.shards > MOST {
            bail!("`shards` is from 1 to {MOST}");
        }
        let mut vms = config.vms.clone();
        vms.sort_unstable();
        if let Some(twice) = vms.windows(2).find(|w| w[0] == w[1]) {
            bail!("the VM '{}' stands twice in `vms`", twice[0]);
        }
        let own = |word: &&String| OWN.contains(&word.split('=').next().unwrap_or(word));
        if let Some(word) = config.options.iter().find(own) {
            bail!("`options` holds {word}, which the campaign gives itself");
        }
        Ok(config)
    }

    /// Its hunts: the first shard of every VM, then the second, so that a campaign cut short has seen all VMs.
    pub fn jobs(&self) -> Vec<Job> {
        let shards = (0..self.shards).filter_map(|i| Shard::new(i, self.shards).ok());
        shards
            .flat_map(|shard| {
                self.vms.iter().map(move |vm| Job {
                    vm: vm.clone(),
                    shard,
                    folder: self.out.join(folder(vm)),
                })
            })
            .collect()
    }
}

/// A hunt of a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The VM.
    pub vm: String,
    /// The shard.
    pub shard: Shard,
    /// The VM's folder, that of all its shards.
    pub folder: PathBuf,
}

impl Job {
    /// A short name of the VM, of this campaign's alone.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    }

    /// The hunt's own folder.
    pub fn out(&self) -> PathBuf {
        self.folder.join(self.shard.folder())
    }
}

/// A folder's name for a VM: its command, with a hash of it where that had to be changed.
fn folder(vm: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if vm.chars().all(fits) && !vm.starts_with('.') {
        return vm.to_owned();
    }
    let last = vm.rsplit('/').next().unwrap_or(vm);
    let name: String = last
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    format!("{name}-{:08x}", threadbare_stress::stable_hash(vm) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "vms = ['rustpython', '/opt/p/bin/python3.13t']\ntime = '10m'\nshards = 2\n";

    #[test]
    fn every_vm_has_its_turn_before_a_second_shard() {
        let config = Config::parse(SMALL).unwrap();
        assert_eq!(
            (config.seed, config.out.as_path()),
            (1, Path::new("campaign-out"))
        );
        let jobs = config.jobs();
        let outs: Vec<String> = jobs.iter().map(|j| j.out().display().to_string()).collect();
        assert_eq!(outs.len(), 4);
        assert_eq!(outs[0], "campaign-out/rustpython/shard-0-of-2");
        assert!(
            outs[1].starts_with("campaign-out/python3.13t-") && outs[1].ends_with("/shard-0-of-2")
        );
        assert_eq!(outs[2], "campaign-out/rustpython/shard-1-of-2");
    }

    #[test]
    fn two_vms_of_one_name_have_two_folders() {
        assert_ne!(folder("/a/python3"), folder("/b/python3"));
        assert_ne!(folder("../x"), "../x");
        assert!(!folder("..").starts_with('.') || folder("..") != "..");
    }

    #[test]
    fn what_is_no_campaign_is_refused_with_the_reason() {
        for (text, why) in [
            ("vms = []\ntime = '1m'", "`vms` is empty"),
            ("vms = ['a']", "missing field `time`"),
            ("vms = ['a']\ntime = 'soon'", "'soon' is no time"),
            (
                "vms = ['a']\ntime = '1m'\nshard = 2",
                "unknown field `shard`",
            ),
            ("vms = ['a']\ntime = '1m'\nshards = 0", "`shards` is from 1"),
            ("vms = ['a', 'a']\ntime = '1m'", "stands twice"),
            (
                "vms = ['a']\ntime = '1m'\noptions = ['--out=x']",
                "gives itself",
            ),
        ] {
            let error = format!("{:#}", Config::parse(text).unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
