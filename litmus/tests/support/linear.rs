//! The least number of preemptions of an execution by trying every order of its events,
//! from the text of its key alone.

/// An event's thread and its number there, from 1.
type Id = (usize, usize);

enum Event {
    Read { location: String, from: Option<Id> },
    Write,
    Other,
}

struct Execution {
    threads: Vec<Vec<Event>>,
    /// Of each location, by name: its writes in coherence order.
    orders: Vec<(String, Vec<Id>)>,
    /// Whether orders must be interleavings: reads see the latest write.
    interleaved: bool,
    /// Reads by which a thread waits.
    waits: Vec<Id>,
}

/// A thread may be left for nothing before a read by which it waits, as `waits` has them,
/// while the write that it reads is still to come. Joins are not expected.
pub fn preemptions(key: &str, interleaved: bool, waits: &[Id]) -> u32 {
    let execution = Execution {
        waits: waits.into(),
        ..Execution::parse(key, interleaved)
    };
    execution.least(&mut vec![0; execution.threads.len()], None)
}

fn id(text: &str) -> Option<Id> {
    let (thread, number) = text.split_once('.')?;
    Some((thread.parse().ok()?, number.parse().ok()?))
}

impl Execution {
    /// The text is `T0:R0=1<1.2;W0=2;T1:F;0:1.1,0.2,1:`, lists of events and then of writes.
    fn parse(key: &str, interleaved: bool) -> Self {
        let (mut threads, mut orders) = (Vec::new(), Vec::new());
        let mut parts = key.split(':');
        let mut head = parts.next().unwrap().to_string();
        for part in parts {
            let end = part.rfind([';', ',']).map_or(0, |at| at + 1);
            let (items, next) = part.split_at(end);
            if head.starts_with('T') {
                threads.push(items.split_terminator(';').map(Event::parse).collect());
            } else {
                orders.push((head, items.split_terminator(',').filter_map(id).collect()));
            }
            head = next.into();
        }
        Self {
            threads,
            orders,
            interleaved,
            waits: Vec::new(),
        }
    }

    fn least(&self, done: &mut Vec<usize>, last: Option<usize>) -> u32 {
        let goes_on = |t: usize, done: &[usize]| done[t] < self.threads[t].len();
        let waits = |t: usize, done: &[usize]| {
            let at = (t, done[t] + 1);
            self.waits.contains(&at)
                && matches!(self.threads[t][done[t]],
                    Event::Read { from: Some((u, n)), .. } if done[u] < n)
        };
        let (mut least, mut all) = (u32::MAX, true);
        for t in 0..self.threads.len() {
            if !goes_on(t, done) {
                continue;
            }
            all = false;
            if self.is_ready((t, done[t] + 1), done) {
                let preempted = last.is_some_and(|l| l != t && goes_on(l, done) && !waits(l, done));
                done[t] += 1;
                let rest = self.least(done, Some(t));
                done[t] -= 1;
                least = least.min(rest.saturating_add(preempted.into()));
            }
        }
        if all { 0 } else { least }
    }

    /// An update's two halves are two events here: under SC nobody can come between, and
    /// elsewhere it gains nothing.
    fn is_ready(&self, at: Id, done: &[usize]) -> bool {
        let is_done = |(t, n): Id| done[t] >= n;
        match &self.threads[at.0][at.1 - 1] {
            Event::Read { location, from } => {
                let order = self.orders.iter().find(|(name, _)| name == location);
                let latest = order.and_then(|(_, writes)| writes.iter().rfind(|w| is_done(**w)));
                from.is_none_or(is_done) && (!self.interleaved || latest.copied() == *from)
            }
            Event::Write if self.interleaved => {
                let order = self.orders.iter().find(|(_, writes)| writes.contains(&at));
                let mut before = order.unwrap().1.iter().take_while(|w| **w != at);
                before.all(|w| is_done(*w))
            }
            _ => true,
        }
    }
}

impl Event {
    fn parse(text: &str) -> Self {
        match text.as_bytes()[0] {
            b'R' => {
                let (location, value) = text[1..].split_once('=').unwrap();
                Self::Read {
                    location: location.into(),
                    from: id(value.split_once('<').unwrap().1),
                }
            }
            b'W' => Self::Write,
            _ => Self::Other,
        }
    }
}
