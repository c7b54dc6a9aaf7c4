//! What a thread does after answers that no graph has any more.
//!
//! The cache grows by each history that the program tells apart: there can be as many as executions.
//! Most belong to one execution and are never asked for again. So when it has doubled since the last time, all is
//! forgotten but the operations of the graphs that the search goes back to; what was forgotten is found by
//! running the program, should it be asked for.

use super::super::cache::Source;
use super::super::graph::{Graph, NONE};
use super::super::model::MemoryModel;
use super::{Doubt, Search, Stop};
use rustc_hash::FxHashSet;

impl<M: MemoryModel, S: Source> Search<M, S> {
    #[cold]
    pub(super) fn forget(&mut self) -> Result<(), Stop> {
        let mut lives = FxHashSet::default();
        self.source.pause(&self.cache, &mut lives)?;
        if self.source.has_learnt() {
            return Err(Stop::Restart(Doubt::Learnt));
        }
        mark(&self.graph, &mut lives);
        for frame in &self.frames {
            mark(&frame.graph, &mut lives);
        }
        self.cache.forget(&lives);
        self.source.forget(&lives);
        self.full = self.settings.known.max(2 * self.cache.len());
        Ok(())
    }
}

/// The nodes that a graph refers to.
fn mark(graph: &Graph, lives: &mut FxHashSet<u32>) {
    let events = graph
        .events
        .iter()
        .flat_map(|event| [event.node, event.next]);
    // Of a thread that is not there they may be those of an older graph.
    let threads = graph.threads.iter().filter(|thread| thread.live);
    let threads = threads.flat_map(|thread| [thread.root, thread.next]);
    lives.extend(events.chain(threads).filter(|&node| node != NONE));
}

#[cfg(test)]
mod tests {
    use super::super::super::model::Rc11;
    use super::super::super::observer::Silent;
    use super::super::{Search, Settings, Stop};
    use crate::session::{self, Closure};
    use crate::sync::{Arc, Mutex};
    use crate::thread;

    /// A content that nobody can look into: each order of its sections is another history.
    struct Opaque(u32);

    fn program() {
        let lock = Arc::new(Mutex::new(Opaque(0)));
        let sections =
            |lock: Arc<Mutex<Opaque>>| move || (0..4).for_each(|_| lock.lock().unwrap().0 += 1);
        let threads: Vec<_> = (0..3)
            .map(|_| thread::spawn(sections(lock.clone())))
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(lock.lock().unwrap().0, 12);
    }

    /// The most operations known in each half of the first executions.
    fn explored(known: usize) -> [usize; 2] {
        const HALF: u32 = 3_000;
        let observer = std::sync::Arc::new(Silent);
        let source = Closure::new(program, observer, session::Settings::default());
        let settings = Settings {
            longest: 1_000,
            known,
            ..Settings::default()
        };
        let mut search = Search::<Rc11, _>::new(source, settings);
        let (mut executions, mut most) = (0, [0, 0]);
        let ended = search.run(None, |search, _| {
            let most = &mut most[(executions / HALF) as usize];
            *most = search.cache.len().max(*most);
            executions += 1;
            if executions == 2 * HALF {
                return Err(Stop::Ended);
            }
            Ok(())
        });
        assert!(matches!(ended, Err(Stop::Ended)));
        most
    }

    #[test]
    fn histories_of_the_past_take_no_memory() {
        let [first, second] = explored(usize::MAX);
        assert!(
            second > first * 3 / 2,
            "there is something to forget: {first}, {second}"
        );
        let [first, second] = explored(1);
        assert!(second < first * 5 / 4, "{first}, {second}");
    }
}
