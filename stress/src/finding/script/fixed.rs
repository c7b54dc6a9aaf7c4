//! The parts of a script that are the same for every scenario. They are files, so that Python's
//! own tools see them; the first four are the harness's.

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = include_str!(concat!("../../../harness/", $file));)*
    };
}

parts! {
    /// Values and exceptions.
    VALUES = "values.py";
    /// Outcomes as text.
    RENDER = "render.py";
    /// What may be looked at when all threads are done.
    REST = "rest.py";
    /// The search for an order that gives an outcome.
    ORDERS = "orders.py";
    /// What a record of real time says.
    IN_TIME = "in_time.py";
    /// A process of its own for each trial.
    PROCESS = "process.py";
    /// Waits in the middle of operations.
    PAUSE = "pause.py";
    /// What runs beside, and modes.
    COMPANY = "company.py";
    /// The elements of a scenario.
    ELEMENTS = "script/elements.py";
    /// The VM reads its environment as it starts, so the script starts it once more.
    ENVIRONMENT = "script/environment.py";
    /// Says that the threads are about to start.
    BEGIN = "script/begin.py";
    /// Runs tasks in threads, or one after the other.
    PARALLEL = "script/parallel.py";
    /// All orders of the operations.
    SEQUENTIAL = "script/sequential.py";
    /// What the orders give, and whether one of them gives an outcome.
    EXPLAIN = "script/explain.py";
    /// The class of an outcome that they do not give, as the oracle names it.
    NATURE = "script/nature.py";
    /// All threads on fresh objects.
    STRIDE = "script/stride.py";
    /// All threads on one slot.
    SLOT = "script/slot.py";
    /// Threads in company.
    IN_COMPANY = "script/company.py";
    /// Strides on what was reset before.
    RESET = "script/reset.py";
    /// One thread waits in the middle of an operation.
    WAIT = "script/wait.py";
    /// Outcomes that no order gives.
    COMPARE = "script/compare.py";
    /// What was done before what.
    RECORD = "script/record.py";
    /// Outcomes that only orders against real time give.
    COMPARE_IN_TIME = "script/compare_in_time.py";
    /// Strides until an outcome is not explained.
    COMPARE_MAIN = "script/compare_main.py";
    /// The same, each in a process of its own.
    PROCESS_COMPARE_MAIN = "script/process_compare_main.py";
    /// Strides of one object, each in a process of its own, until the VM fails.
    PROCESS_MAIN = "script/process_main.py";
    /// A look at what the threads returned and left.
    LOOK = "script/look.py";
    /// Strides, and looks at every third, until the VM fails.
    LOOK_MAIN = "script/look_main.py";
    /// Strides until the VM fails.
    STRIDE_MAIN = "script/stride_main.py";
    /// The same on the slot, after one thread alone.
    SLOT_MAIN = "script/slot_main.py";
    /// Strides until counts or live objects are off.
    REST_MAIN = "script/rest_main.py";
}
