//! A campaign's file: which VMs, how long, in how many shards.

use crate::control::Chooser;
use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use threadbare_stress::campaign::shard::{MOST, Shard};

/// A campaign as its file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// VMs, each as `hunt --vm` takes it.
    #[serde(default)]
    pub vms: Vec<String>,
    /// VMs whose threads are scheduled.
    #[serde(default)]
    pub control: Control,
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

/// VMs that `ci/vm/cpython-controlled.sh` has built, each hunted with `hunt --control`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Control {
    /// Which.
    #[serde(default)]
    pub vms: Vec<String>,
    /// Who chooses, as `hunt --control` takes it.
    #[serde(default, deserialize_with = "strategy")]
    pub strategy: Option<Chooser>,
    /// Schedules of each scenario, as `hunt --schedules` takes them.
    #[serde(default)]
    pub schedules: Option<u32>,
    /// A store stays in its thread's buffer for a while.
    #[serde(default)]
    pub tso: bool,
}

impl Control {
    /// What it says to each of its hunts.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["--control".to_owned()];
        let strategy = self.strategy.unwrap_or(Chooser::Portfolio);
        words.extend(
            strategy
                .to_possible_value()
                .map(|v| v.get_name().to_owned()),
        );
        if let Some(schedules) = self.schedules {
            words.extend(["--schedules".to_owned(), schedules.to_string()]);
        }
        words.extend(self.tso.then(|| "--tso".to_owned()));
        words
    }
}

fn strategy<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Chooser>, D::Error> {
    let text = String::deserialize(from)?;
    Chooser::from_str(&text, false).map(Some).map_err(|_| {
        let known = Chooser::value_variants().iter();
        let known: Vec<String> = known
            .filter_map(|c| Some(c.to_possible_value()?.get_name().to_owned()))
            .collect();
        serde::de::Error::custom(format!(
            "'{text}' is no strategy; known: {}",
            known.join(", ")
        ))
    })
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

/// Words of hunts that `hunt --control` does not take.
const NOT_UNDER_CONTROL: [&str; 3] = ["--sequential", "--feedback", "--company"];

/// Words that a campaign gives itself.
const OWN: [&str; 10] = [
    "--control",
    "--schedules",
    "--tso",
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
        if config.vms.is_empty() && config.control.vms.is_empty() {
            bail!("`vms` is empty; name at least one, as [\"rustpython\"]");
        }
        if config.control.vms.is_empty() && config.control != Control::default() {
            bail!(
                "`control` names no `vms`; ci/vm/cpython-controlled.sh builds one and prints its path"
            );
        }
        if config.control.schedules == Some(0) {
            bail!("`schedules` is at least 1");
        }
        if config.shards == 0 || config.shards > MOST {
            bail!("`shards` is from 1 to {MOST}");
        }
        let mut vms = [config.vms.clone(), config.control.vms.clone()].concat();
        vms.sort_unstable();
        if let Some(twice) = vms.windows(2).find(|w| w[0] == w[1]) {
            bail!("the VM '{}' stands twice in `vms`", twice[0]);
        }
        let given = |words: &[&str]| {
            let is = |word: &&String| words.contains(&word.split('=').next().unwrap_or(word));
            config.options.iter().find(is)
        };
        if let Some(word) = given(&OWN) {
            bail!("`options` holds {word}, which the campaign gives itself");
        }
        if let Some(word) = given(&NOT_UNDER_CONTROL)
            && !config.control.vms.is_empty()
        {
            bail!("`options` holds {word}, which hunts of the VMs in `control` do not take");
        }
        Ok(config)
    }

    /// Its hunts: the first shard of every VM, then the second, so that a campaign cut short has seen all VMs.
    pub fn jobs(&self) -> Vec<Job> {
        let shards = (0..self.shards).filter_map(|i| Shard::new(i, self.shards).ok());
        let job = |vm: &String, shard, control| Job {
            vm: vm.clone(),
            shard,
            folder: self.out.join(folder(vm)),
            control,
        };
        shards
            .flat_map(|shard| {
                let free = self.vms.iter().map(move |vm| job(vm, shard, Vec::new()));
                let control = &self.control;
                let scheduled = (control.vms.iter()).map(move |vm| job(vm, shard, control.words()));
                free.chain(scheduled)
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
    /// What its hunt is told of schedules; nothing where its VM schedules its threads itself.
    pub control: Vec<String>,
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
    fn vms_under_control_come_last_in_each_shard_and_are_hunted_so() {
        let text = format!("{SMALL}[control]\nvms = ['/c/python3.13t']\n");
        let config = Config::parse(&text).unwrap();
        let jobs = config.jobs();
        assert_eq!(jobs.len(), 6);
        let control: Vec<bool> = jobs.iter().map(|j| !j.control.is_empty()).collect();
        assert_eq!(control, [false, false, true, false, false, true]);
        assert_eq!(jobs[2].vm, "/c/python3.13t");
        assert_eq!(jobs[2].control, ["--control", "portfolio"]);
        let text =
            "time = '1m'\n[control]\nvms = ['c']\nstrategy = 'pos'\nschedules = 50\ntso = true\n";
        let jobs = Config::parse(text).unwrap().jobs();
        let words = ["--control", "pos", "--schedules", "50", "--tso"];
        assert_eq!(jobs[0].control, words);
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
            ("time = '1m'", "`vms` is empty"),
            ("vms = ['a']", "missing field `time`"),
            (
                "vms = ['a']\ntime = '1m'\n[control]\nstrategy = 'pos'",
                "`control` names no `vms`",
            ),
            (
                "time = '1m'\n[control]\nvms = ['a']\nstrategy = 'luck'",
                "'luck' is no strategy; known: portfolio, random",
            ),
            (
                "time = '1m'\n[control]\nvms = ['a']\nschedules = 0",
                "`schedules` is at least 1",
            ),
            (
                "vms = ['a']\ntime = '1m'\n[control]\nvms = ['a']",
                "stands twice",
            ),
            (
                "time = '1m'\noptions = ['--feedback']\n[control]\nvms = ['a']",
                "do not take",
            ),
            (
                "vms = ['a']\ntime = '1m'\noptions = ['--control']",
                "gives itself",
            ),
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
