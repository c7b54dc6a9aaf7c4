//! A [`Program`] as a source of operations.

use super::cache::{Cache, Fault, Source, answers};
use super::graph::Graph;
use super::program::{LocationInfo, Op, Program, Step, Value};

/// A [`Program`] as a source.
pub(crate) struct Direct<'a> {
    program: &'a dyn Program,
    locations: Vec<LocationInfo>,
    answers: Vec<Value>,
    /// For each thread the first that does the same; empty when nobody asked.
    classes: Vec<u32>,
}

impl<'a> Direct<'a> {
    pub fn new(program: &'a dyn Program) -> Self {
        Self {
            program,
            locations: program.locations(),
            answers: Vec::new(),
            classes: Vec::new(),
        }
    }
}

impl Source for Direct<'_> {
    fn start(&mut self, graph: &mut Graph) {
        for thread in 0..self.program.threads() as u32 {
            graph.ensure_thread(thread);
            graph.threads[thread as usize].live = true;
        }
        for (i, info) in self.locations.iter().enumerate() {
            graph.ensure_place(i as u32, info.first_value());
        }
    }

    fn pair(&mut self, graph: &mut Graph) {
        for thread in 0..self.program.threads() {
            let first = (0..thread).find(|&other| self.program.alike(other, thread));
            let class = first.map_or(thread, |first| self.classes[first] as usize) as u32;
            if let Some(elder) = self.classes.iter().rposition(|&other| other == class) {
                graph.follow(thread as u32, elder as u32);
            }
            self.classes.push(class);
        }
    }

    fn class_of(&self, thread: u32) -> u32 {
        self.classes.get(thread as usize).copied().unwrap_or(thread)
    }

    fn fetch(&mut self, _: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault> {
        answers(graph, thread, &mut self.answers);
        let step = self.program.step(thread as usize, &self.answers);
        for (other, &class) in self.classes.iter().enumerate() {
            if class == self.class_of(thread) && other != thread as usize {
                let theirs = self.program.step(other, &self.answers);
                if theirs.op != step.op {
                    return Err(Fault::program(format!(
                        "{} and {} are declared alike, but after the same answers one does \
                         {:?} and the other {:?}",
                        self.program.thread_name(thread as usize),
                        self.program.thread_name(other),
                        step.op,
                        theirs.op
                    )));
                }
            }
        }
        if let Some(location) = step.op.location()
            && location.0 as usize >= self.locations.len()
        {
            return Err(Fault::program(format!(
                "thread {} accesses location {}, but the program declares {}",
                self.program.thread_name(thread as usize),
                location.0,
                self.locations.len()
            )));
        }
        match step.op {
            Op::Observe(_) => Err(Fault::program("a Program has no observer to ask")),
            Op::Spawn(_) => Err(Fault::program(
                "a Program cannot spawn: declare every thread in Program::threads",
            )),
            Op::Join(other) if other as usize >= self.program.threads() => Err(Fault::program(
                format!("there is no thread {other} to join"),
            )),
            _ => Ok(step),
        }
    }

    fn location(&self, location: u32) -> LocationInfo {
        self.locations[location as usize].clone()
    }

    fn first_value(&self, location: u32) -> (Value, u8) {
        self.locations[location as usize].first_value()
    }

    fn thread_name(&self, thread: u32) -> String {
        self.program.thread_name(thread as usize)
    }
}
