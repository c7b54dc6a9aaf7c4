//! A part of a hunt, for many processes or machines: shard `i` of `n` runs the scenarios `k` of every subject with
//! `k mod n = i`. The shards of one seed have no scenario in common and leave none out.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most shards of a hunt.
pub const MOST: usize = 1_000_000;

/// Shard `index` of `of`, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: usize,
    of: usize,
}

/// What is no shard.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The text is none.
    #[error(
        "'{0}' is no shard; write i/n with i from 0 and below n, as 0/8 … 7/8, n at most {MOST}, or auto"
    )]
    Text(String),
    /// The environment names none.
    #[error(
        "no shard in the environment; `auto` reads that of a Slurm job array (SLURM_ARRAY_TASK_ID and _COUNT) or of an \
         indexed Kubernetes Job (JOB_COMPLETION_INDEX, and its number of completions as THREADBARE_SHARDS)"
    )]
    NotThere,
    /// It names one that cannot be.
    #[error("{variable}={value} of the environment is no part of a shard: {why}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        why: &'static str,
    },
}

impl Default for Shard {
    /// The whole.
    fn default() -> Self {
        Self { index: 0, of: 1 }
    }
}

impl Shard {
    /// Shard `index` of `of`.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(index: usize, of: usize) -> Result<Self, ShardError> {
        match index < of && of <= MOST {
            true => Ok(Self { index, of }),
            false => Err(ShardError::Text(format!("{index}/{of}"))),
        }
    }

    /// Whether it is the whole hunt.
    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// The number of this shard's scenario `k`.
    pub fn number(&self, k: usize) -> usize {
        k * self.of + self.index
    }

    /// Its folder within that of all shards.
    pub fn folder(&self) -> String {
        format!("shard-{}-of-{}", self.index, self.of)
    }

    /// Whether something of this number is the shard's.
    pub fn has(&self, number: usize) -> bool {
        number % self.of == self.index
    }

    /// The shard that the engine which started this process names, `variable` being its environment.
    ///
    /// Sources: Slurm, `sbatch(1)`, "OUTPUT ENVIRONMENT VARIABLES"; Kubernetes, "Jobs", completion mode `Indexed`.
    ///
    /// # Errors
    /// When none is named, or what is named cannot be.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ShardError> {
        let read = |name: &'static str| -> Result<Option<usize>, ShardError> {
            let Some(value) = variable(name) else {
                return Ok(None);
            };
            let number = value.trim().parse();
            number.map(Some).map_err(|_| ShardError::Environment {
                variable: name,
                value,
                why: "it is no number",
            })
        };
        let needed = |name| read(name)?.ok_or(ShardError::NotThere);
        if let Some(id) = read("SLURM_ARRAY_TASK_ID")? {
            let first = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = read("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let count = needed("SLURM_ARRAY_TASK_COUNT")?;
            // An array may also be a list, as 1,5,7: its tasks have no even numbers.
            let index = id
                .checked_sub(first)
                .filter(|d| d % step == 0)
                .map(|d| d / step);
            return index
                .and_then(|i| Self::new(i, count).ok())
                .ok_or(ShardError::Environment {
                    variable: "SLURM_ARRAY_TASK_ID",
                    value: id.to_string(),
                    why: "the array is no range; submit it as --array=0-7",
                });
        }
        if let Some(index) = read("JOB_COMPLETION_INDEX")? {
            let count = needed("THREADBARE_SHARDS")?;
            return Self::new(index, count).map_err(|_| ShardError::Environment {
                variable: "THREADBARE_SHARDS",
                value: count.to_string(),
                why: "it is not above JOB_COMPLETION_INDEX",
            });
        }
        Err(ShardError::NotThere)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let no = || ShardError::Text(text.to_owned());
        let (index, of) = numbers.ok_or_else(no)?;
        Self::new(index, of).map_err(|_| no())
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(text: String) -> Result<Self, ShardError> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(variables: &[(&str, &str)]) -> Result<Shard, ShardError> {
        let value = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        Shard::of_environment(&value)
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "3", "8/8", "-1/2", "0/0", "1/2/3", "a/b", "0/1000001"] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError::Text(text.into())));
        }
        assert_eq!("7/8".parse::<Shard>().unwrap().to_string(), "7/8");
    }

    #[test]
    fn engines_name_the_shard_in_their_own_words() {
        let slurm = |id, min, step, count| {
            of(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ])
        };
        assert_eq!(slurm("3", "0", "1", "8"), Shard::new(3, 8));
        assert_eq!(slurm("8", "1", "1", "8"), Shard::new(7, 8));
        assert_eq!(slurm("4", "0", "2", "4"), Shard::new(2, 4));
        // --array=1,5,7
        assert!(slurm("7", "1", "1", "3").is_err());
        assert!(slurm("x", "1", "1", "3").is_err());
        let kubernetes = [("JOB_COMPLETION_INDEX", "2"), ("THREADBARE_SHARDS", "3")];
        assert_eq!(of(&kubernetes), Shard::new(2, 3));
        assert_eq!(of(&kubernetes[..1]), Err(ShardError::NotThere));
        assert_eq!(of(&[]), Err(ShardError::NotThere));
    }

    proptest! {
        /// Every number is in exactly one shard, and each shard counts its own without a gap.
        #[test]
        fn shards_are_a_partition(n in 1_usize..50, number in 0_usize..10_000) {
            let shards: Vec<Shard> = (0..n).map(|i| Shard::new(i, n).unwrap()).collect();
            let mine: Vec<&Shard> = shards.iter().filter(|s| s.has(number)).collect();
            prop_assert_eq!(mine.len(), 1);
            prop_assert_eq!(mine[0].number(number / n), number);
        }

        #[test]
        fn a_shard_reads_back(n in 1_usize..=MOST, i in 0_usize..MOST) {
            prop_assume!(i < n);
            let shard = Shard::new(i, n).unwrap();
            prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        }
    }
}
