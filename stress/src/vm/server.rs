//! A VM as a server: one process that takes jobs on stdin, for who runs hundreds of scenarios a second.
//!
//! It is started again after it has died or stood still. A hunt starts a process for each few scenarios
//! instead, so that none meets what another left behind; what is found here is run once more by itself.

use super::child::{self, End, Outcome};
use super::job::Log;
use super::{Vm, VmError};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::NamedTempFile;

/// Runs each line of stdin as a job.
const LOOP: &str = "
while True:
    _line = sys.stdin.readline()
    if not _line:
        break
    main(eval(_line))
";

/// Jobs after which the process is started afresh: caches and free lists of a VM only grow.
const JOBS: u32 = 2000;

/// Bytes of stderr that are kept.
const ERR: u64 = 1 << 20;

/// The server of one VM.
pub struct Server {
    vm: Vm,
    file: NamedTempFile,
    running: Option<Running>,
    /// Processes started.
    pub started: u64,
}

struct Running {
    /// None when it was ended.
    child: Option<Child>,
    to: ChildStdin,
    lines: Receiver<String>,
    err: Option<JoinHandle<String>>,
    jobs: u32,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            let _ = child::finish(child);
        }
    }
}

impl Server {
    /// A server of this VM; its process is started with the first job.
    ///
    /// # Errors
    /// When the file that it runs cannot be written.
    pub fn new(vm: Vm) -> Result<Self, VmError> {
        let mut file = tempfile::Builder::new()
            .prefix("threadbare-")
            .suffix(".py")
            .tempfile()
            .map_err(VmError::Temp)?;
        file.write_all(format!("{}{LOOP}", crate::HARNESS).as_bytes())
            .and_then(|()| file.flush())
            .map_err(VmError::Temp)?;
        Ok(Self {
            vm,
            file,
            running: None,
            started: 0,
        })
    }

    /// The VM.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Runs a job, which must be one line; `silence`: the longest time between two lines of its output.
    ///
    /// # Errors
    /// When the VM cannot be started.
    pub fn run(&mut self, job: &str, silence: Duration) -> Result<Log, VmError> {
        assert!(!job.contains('\n'), "a job is one line");
        let mut running = match self.running.take() {
            Some(running) if running.jobs < JOBS => running,
            _ => self.start()?,
        };
        running.jobs += 1;
        // A process that is gone cannot be written to; its end is read below.
        let _ = writeln!(running.to, "{job}").and_then(|()| running.to.flush());
        let mut stdout = Vec::new();
        let stopped = loop {
            match running.lines.recv_timeout(silence) {
                Ok(line) => {
                    let last = line == "X";
                    stdout.push(line);
                    if last {
                        break None;
                    }
                }
                Err(RecvTimeoutError::Timeout) => break Some(Some(End::Hang)),
                Err(RecvTimeoutError::Disconnected) => break Some(None),
            }
        };
        let (end, stderr) = match stopped {
            None => {
                self.running = Some(running);
                (End::Exit(0), String::new())
            }
            Some(limit) => ended(running, limit),
        };
        Ok(Log::parse(Outcome {
            end,
            stdout,
            complete_line: true,
            stderr,
            hang: None,
            orphans: 0,
        }))
    }

    fn start(&mut self) -> Result<Running, VmError> {
        self.started += 1;
        let mut command = self.vm.command(self.file.path());
        command.env("RUST_BACKTRACE", "0").stdin(Stdio::piped());
        let mut child = child::spawn(&mut command, false).map_err(|source| VmError::Start {
            spec: self.vm.spec.clone(),
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        let to = child.stdin.take().expect("piped");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let err = child.stderr.take().expect("piped");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in out.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let err = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut err = err;
            let _ = err.by_ref().take(ERR).read_to_end(&mut text);
            // What is not read would stop the VM.
            let _ = std::io::copy(&mut err, &mut std::io::sink());
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Running {
            child: Some(child),
            to,
            lines,
            err: Some(err),
            jobs: 0,
        })
    }
}

/// Ends a process that broke a limit or has ended by itself, and says how it did and what it wrote.
fn ended(mut running: Running, limit: Option<End>) -> (End, String) {
    let child = running.child.take().expect("it was not ended before");
    if limit.is_none() {
        // Its output has ended, and it may still be dying of what ends it.
        let leader = Id::Pid(Pid::from_raw(child.id() as i32));
        let _ = waitid(leader, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    }
    let (status, _) = child::finish(child);
    let end = limit.unwrap_or_else(|| status.map_or(End::Exit(-1), child::natural));
    let err = running.err.take().and_then(|err| err.join().ok());
    (end, err.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::process;
    use crate::scenario::generate::{Limits, nth};
    use crate::subject::parse;

    fn job(vm: &Vm, op: &str) -> String {
        let text = format!(
            "[[subject]]\nname = \"s\"\ndoc = \"d\"\nmake = [\"[]\"]\nfinal = \"len(o)\"\nprelude = \"import os\"\nsilent = [\"{op}\"]\n"
        );
        let subject = parse("t", &text).unwrap().remove(0);
        process::text(vm, &[nth(&subject, 1, 0, Limits::default())], 1, 5, false)
    }

    /// One process serves until it dies or stands still; both are told, and the next job has a new one.
    #[test]
    fn a_process_serves_until_it_ends() {
        let vm = Vm::open("python3").expect("python3 is on PATH");
        let mut server = Server::new(vm.clone()).unwrap();
        let silence = Duration::from_secs(20);
        for _ in 0..3 {
            let log = server.run(&job(&vm, "o.append(1)"), silence).unwrap();
            assert!(
                log.finished && log.histories[0].complete,
                "{}",
                log.how_it_ended()
            );
        }
        assert_eq!(server.started, 1);
        let log = server.run(&job(&vm, "os.abort()"), silence).unwrap();
        assert_eq!(log.end(), End::Signal(libc::SIGABRT));
        assert!(
            !log.finished && log.stderr().contains("Abort"),
            "{}",
            log.stderr()
        );
        let still = job(&vm, "[0 for _ in iter(int, 1)]");
        let log = server.run(&still, Duration::from_secs(2)).unwrap();
        assert_eq!(log.end(), End::Hang);
        let log = server.run(&job(&vm, "o.append(1)"), silence).unwrap();
        assert!(log.finished);
        assert_eq!(server.started, 3);
    }
}
