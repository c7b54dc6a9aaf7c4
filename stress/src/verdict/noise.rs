//! Functions that a stack holds whatever went wrong, by what they are there for.
//!
//! One table, and who reads stacks says which classes it leaves out. A name counts exactly as it
//! stands; one that ends with `*` is the beginning of a family of names that the project named beside
//! it keeps for that purpose, so that no function of a VM is eaten by chance: `poll` is the system
//! call, `poll_register` is MicroPython's.

use Class::{Access, Allocator, Bytes, Call, Death, Lock, Sanitizer, Start, Wait};

/// What such a function is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reports or carries out the end: signals, failed assertions, fatal errors, panics.
    Death,
    /// Begins a thread or the program.
    Start,
    /// Waits in the C library or the kernel.
    Wait,
    /// The VM's locks and the threads that wait in them.
    Lock,
    /// Runs Python code or calls a function, whichever it is.
    Call,
    /// Makes an access for its caller: atomics, counts, types.
    Access,
    /// Copies or compares bytes for its caller.
    Bytes,
    /// Gives out memory and takes it back.
    Allocator,
    /// A sanitizer's runtime.
    Sanitizer,
}

const TABLE: &[(Class, &[&str])] = &[
    // The C library. `pthread_`, `__pthread_` and `__GI_` are its prefixes.
    (
        Death,
        &[
            "raise",
            "__GI_raise",
            "gsignal",
            "abort",
            "__GI_abort",
            "kill",
            "pthread_kill",
            "__pthread_kill*",
            "__GI___pthread_kill",
            "__restore_rt",
            "<signal handler called>",
            "__assert_fail",
            "__GI___assert_fail",
            "__assert_fail_base",
            "__assert_fail_base.cold",
            "__libc_message*",
            "__libc_fatal",
            "__fortify_fail",
            "__stack_chk_fail",
        ],
    ),
    // CPython; `faulthandler_` is that module's prefix.
    (
        Death,
        &[
            "faulthandler_*",
            "fatal_error",
            "fatal_error_exit",
            "_Py_FatalError*",
            "Py_FatalError",
            "_PyObject_AssertFailed",
            "_Py_NegativeRefcount",
        ],
    ),
    // Rust's panics.
    (
        Death,
        &[
            "rust_panic",
            "rust_begin_unwind",
            "__rust_start_panic",
            "std::panicking::*",
            "core::panicking::*",
        ],
    ),
    (
        Start,
        &[
            "_start",
            "main",
            "__libc_start_*",
            "start_thread",
            "clone",
            "clone3",
            "__clone",
            "__clone3",
            "thread_run",
            "pythread_wrapper",
            "thread_PyThread*",
            "do_start_new_thread",
            "do_start_joinable_thread",
            "Py_RunMain",
            "Py_BytesMain",
            "Py_Main",
            "pymain_*",
            "pyrun_*",
            "_PyRun_*",
            "run_mod",
            "run_eval_code_obj",
            "exit",
            "__run_exit_handlers",
        ],
    ),
    (
        Wait,
        &[
            "syscall",
            "futex*",
            "__futex*",
            "do_futex_wait*",
            "__lll_lock*",
            "sem_wait",
            "sem_timedwait",
            "sem_clockwait",
            "___sem_*",
            "sem_post",
            "__new_sem_*",
            "pthread_*",
            "__pthread_*",
            "___pthread_*",
            "__GI_*",
            "poll",
            "__poll",
            "ppoll",
            "select",
            "__select",
            "epoll_wait",
            "nanosleep",
            "clock_nanosleep",
            "sched_yield",
        ],
    ),
    // CPython's locks and thread states; parking_lot is a crate.
    (
        Lock,
        &[
            "PyMutex_Lock*",
            "PyMutex_Unlock",
            "_PyMutex_*",
            "_PyParkingLot_*",
            "_PySemaphore_*",
            "_PyEvent_*",
            "PyEvent_*",
            "_PyCriticalSection*",
            "PyCriticalSection*",
            "PyThread_*",
            "lock_PyThread_*",
            "ThreadHandle_*",
            "PyThreadHandleObject_join",
            "_PyThreadState_*",
            "PyThreadState_*",
            "tstate_*",
            "detach_thread",
            "_Py_yield",
            "_Py_HandlePending",
            "time_sleep",
            "pysleep",
            "parking_lot::*",
            "parking_lot_core::*",
        ],
    ),
    (
        Call,
        &[
            "_PyEval_EvalFrameDefault",
            "_PyFrame_*",
            "_PyEval_EvalFrame",
            "_PyEval_Vector",
            "PyEval_EvalCode",
            "PyEval_EvalCodeEx",
            "_PyObject_VectorcallTstate",
            "_PyObject_Vectorcall*",
            "PyObject_Vectorcall*",
            "_PyObject_Call*",
            "PyObject_Call*",
            "_PyObject_MakeTpCall",
            "_PyFunction_Vectorcall",
            "_PyVectorcall_*",
            "method_vectorcall*",
            "cfunction_vectorcall*",
            "cfunction_call",
        ],
    ),
    // `_Py_atomic_` is the prefix of CPython's header of atomics, `_Py_Try` that of counting up if alive.
    (
        Access,
        &[
            "_Py_atomic_*",
            "_Py_TryIncref*",
            "_Py_TryIncRef*",
            "_Py_TryXGetRef",
            "_Py_XGetRef",
            "Py_INCREF",
            "Py_XINCREF",
            "Py_DECREF",
            "Py_XDECREF",
            "_Py_INCREF*",
            "_Py_DECREF*",
            "_Py_IncRef",
            "_Py_DecRef",
            "Py_IncRef",
            "Py_DecRef",
            "_Py_NewRef",
            "_Py_XNewRef",
            "_Py_Dealloc",
            "_Py_DecRefShared*",
            "_Py_MergeZeroLocalRefcount",
            "_Py_IsImmortal*",
            "_Py_IsOwnedByCurrentThread",
            "_Py_ThreadId",
            "Py_TYPE",
            "_Py_TYPE",
            "Py_SIZE",
            "Py_IS_TYPE",
            "_Py_IS_TYPE",
            "PyType_HasFeature",
            "_PyType_HasFeature",
        ],
    ),
    // Rust's library, also as the trait of an `impl`.
    (
        Access,
        &[
            "std::*",
            "core::*",
            "alloc::*",
            "<std::*",
            "<core::*",
            "<alloc::*",
        ],
    ),
    // The C library's; the processor's own variants begin with `__mem` and `__str`.
    (
        Bytes,
        &[
            "memcpy",
            "memmove",
            "memset",
            "memcmp",
            "memchr",
            "strlen",
            "strcmp",
            "strcpy",
            "__mem*",
            "__str*",
            "__GI_mem*",
            "__GI_str*",
        ],
    ),
    // The C library's and C++'s; `_int_` and `tcache_` are inside glibc's malloc.
    (
        Allocator,
        &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "cfree",
            "memalign",
            "posix_memalign",
            "aligned_alloc",
            "__libc_malloc",
            "__libc_calloc",
            "__libc_realloc",
            "__libc_free",
            "__GI___libc_malloc",
            "__GI___libc_calloc",
            "__GI___libc_realloc",
            "__GI___libc_free",
            "_int_malloc",
            "_int_realloc",
            "_int_free*",
            "_int_memalign",
            "malloc_consolidate",
            "malloc_printerr",
            "unlink_chunk",
            "munmap_chunk",
            "sysmalloc",
            "systrim",
            "tcache_get",
            "tcache_put",
            "arena_get2",
            "operator new*",
            "operator delete*",
        ],
    ),
    // mimalloc's and CPython's, by exact name: `_PyMem_FreeDelayed` is the VM's own protocol, and a
    // standstill in one of these is told as heap damage.
    (
        Allocator,
        &[
            "mi_malloc",
            "mi_calloc",
            "mi_realloc",
            "mi_free",
            "mi_heap_malloc",
            "mi_heap_malloc_small",
            "mi_heap_malloc_small_zero",
            "mi_heap_malloc_zero",
            "mi_heap_calloc",
            "mi_heap_realloc",
            "mi_heap_realloc_zero",
            "_mi_heap_malloc_zero",
            "_mi_heap_malloc_zero_ex",
            "_mi_heap_realloc_zero",
            "_mi_malloc_generic",
            "_mi_free_generic",
            "mi_free_generic_local",
            "mi_free_generic_mt",
            "_mi_abandoned_reclaim_all",
            "_mi_bin",
            "_mi_deferred_free",
            "_mi_heap_get_free_small_page",
            "_mi_heap_init_ex",
            "_mi_page_abandon",
            "_mi_page_ptr_unalign",
            "_mi_page_queue_append",
            "_mi_page_segment",
            "_mi_page_start",
            "_mi_ptr_page",
            "_mi_ptr_segment",
            "_mi_segment_huge_page_free",
            "_mi_segment_huge_page_reset",
            "_mi_segment_page_of",
            "_mi_segment_page_start",
            "_mi_segment_page_start_from_slice",
            "mi_abandoned_pop",
            "mi_abandoned_push",
            "mi_bin",
            "mi_debug_fill",
            "mi_fast_divisor",
            "mi_find_free_page",
            "mi_free_size",
            "mi_heap_absorb",
            "mi_heap_by_tag",
            "mi_heap_free",
            "mi_heap_of_block",
            "mi_heap_page_never_delayed_free",
            "mi_heap_page_queue_of",
            "mi_heap_queue_first_update",
            "mi_heap_reset_pages",
            "mi_heap_zalloc",
            "mi_large_huge_page_alloc",
            "mi_malloc_small",
            "mi_page_all_free",
            "mi_page_block_at",
            "mi_page_block_size",
            "mi_page_free_list_extend_secure",
            "mi_page_has_any_available",
            "mi_page_heap",
            "mi_page_immediate_available",
            "mi_page_mostly_used",
            "mi_page_queue",
            "mi_page_queue_enqueue_from",
            "mi_page_queue_of",
            "mi_page_queue_push",
            "mi_page_queue_remove",
            "mi_page_set_heap",
            "mi_page_set_in_full",
            "mi_page_to_slice",
            "mi_segment_abandon",
            "mi_segment_alloc",
            "mi_segment_calculate_slices",
            "mi_segment_commit",
            "mi_segment_commit_mask",
            "mi_segment_end",
            "mi_segment_ensure_committed",
            "mi_segment_free",
            "mi_segment_huge_page_alloc",
            "mi_segment_info_size",
            "mi_segment_page_clear",
            "mi_segment_purge",
            "mi_segment_reclaim_or_alloc",
            "mi_segment_schedule_purge",
            "mi_segment_size",
            "mi_segment_slice_split",
            "mi_segment_slices_end",
            "mi_segment_span_add_free",
            "mi_segment_span_allocate",
            "mi_segment_span_remove_from_queue",
            "mi_segment_try_reclaim",
            "mi_segments_page_alloc",
            "mi_segments_page_find_and_allocate",
            "mi_slice_bin",
            "mi_slice_first",
            "mi_slice_index",
            "mi_slice_start",
            "mi_slice_to_page",
            "mi_slices_start_iterate",
            "mi_span_queue_for",
            "mi_span_queue_push",
            "mi_tagged_segment",
            "mi_tagged_segment_ptr",
            "mi_tf_block",
            "mi_tf_delayed",
            "mi_tf_make",
            "mi_tf_set_block",
            "mi_tf_set_delayed",
            "mi_zalloc",
            "mi_zalloc_small",
            "_mi_free_block",
            "mi_free_block_local",
            "_mi_free_block_mt",
            "mi_free_block_mt",
            "_mi_free_delayed_block",
            "mi_block_next",
            "mi_block_nextx",
            "mi_block_set_next",
            "mi_block_set_nextx",
            "mi_block_check_unguard",
            "mi_check_is_double_free",
            "mi_check_is_double_freex",
            "mi_list_contains",
            "mi_find_page",
            "mi_page_malloc",
            "_mi_page_malloc",
            "_mi_page_malloc_zero",
            "mi_page_alloc_zero",
            "mi_page_fresh",
            "mi_page_fresh_alloc",
            "mi_page_init",
            "mi_page_extend_free",
            "mi_page_free_list_extend",
            "mi_page_queue_find_free_ex",
            "mi_page_to_full",
            "mi_page_unfull",
            "_mi_page_unfull",
            "_mi_page_retire",
            "_mi_page_free",
            "_mi_page_free_collect",
            "_mi_page_thread_free_collect",
            "_mi_page_use_delayed_free",
            "_mi_page_try_use_delayed_free",
            "_mi_page_reclaim",
            "mi_page_list_count",
            "_mi_heap_delayed_free_all",
            "_mi_heap_delayed_free_partial",
            "mi_heap_collect_ex",
            "mi_heap_page_collect",
            "mi_heap_visit_pages",
            "_mi_segment_page_alloc",
            "_mi_segment_page_free",
            "_mi_segment_page_abandon",
            "mi_segment_reclaim",
            "mi_segment_span_free",
            "mi_segment_span_free_coalesce",
            "_PyMem_MiMalloc",
            "_PyMem_MiCalloc",
            "_PyMem_MiRealloc",
            "_PyMem_MiFree",
            "_PyMem_DebugMalloc",
            "_PyMem_DebugRealloc",
            "_PyMem_DebugFree",
            "_PyMem_DebugRawMalloc",
            "_PyMem_DebugRawRealloc",
            "_PyMem_DebugRawFree",
            "_PyMem_DebugCheckAddress",
            "_PyMem_RawMalloc",
            "_PyMem_RawFree",
            "PyMem_Malloc",
            "PyMem_Calloc",
            "PyMem_Realloc",
            "PyMem_Free",
            "PyMem_RawMalloc",
            "PyMem_RawRealloc",
            "PyMem_RawFree",
            "_PyObject_MiMalloc",
            "_PyObject_MiCalloc",
            "_PyObject_MiRealloc",
            "_PyObject_MiFree",
            "_PyObject_Malloc",
            "_PyObject_Calloc",
            "_PyObject_Realloc",
            "_PyObject_Free",
            "PyObject_Malloc",
            "PyObject_Calloc",
            "PyObject_Realloc",
            "PyObject_Free",
            "pymalloc_alloc",
            "pymalloc_free",
            "pymalloc_realloc",
        ],
    ),
    // Rust's, and MicroPython's.
    (
        Allocator,
        &[
            "__rust_alloc",
            "__rust_alloc_zeroed",
            "__rust_dealloc",
            "__rust_realloc",
            "__rdl_alloc",
            "__rdl_dealloc",
            "__rdl_realloc",
            "gc_alloc",
            "gc_free",
            "gc_realloc",
            "m_malloc",
            "m_malloc0",
            "m_realloc",
            "m_free",
        ],
    ),
    // Prefixes of compiler-rt's runtimes.
    (
        Sanitizer,
        &[
            "__tsan_*",
            "__asan_*",
            "__ubsan_*",
            "__msan_*",
            "__lsan_*",
            "__sanitizer_*",
            "__interceptor_*",
            "___interceptor_*",
        ],
    ),
];

/// The class of a function, by its name without parameters; `None` for what may tell one fault from
/// another. Suffixes of compilers' clones do not matter.
pub fn class(function: &str) -> Option<Class> {
    let name = without_suffix(function);
    // `malloc@plt`, `memcpy@@GLIBC_2.14`.
    let name = name.split('@').next().unwrap_or(name);
    let exact = |entry: &str| entry == name;
    let family = |entry: &str| {
        let beginning = entry.strip_suffix('*');
        beginning.is_some_and(|b| name.starts_with(b))
    };
    let of = |matches: &dyn Fn(&str) -> bool| {
        let row = TABLE.iter().find(|(_, row)| row.iter().any(|e| matches(e)));
        row.map(|(class, _)| *class)
    };
    of(&exact).or_else(|| of(&family))
}

/// Whether a function is of one of these classes.
pub fn is(function: &str, classes: &[Class]) -> bool {
    class(function).is_some_and(|c| classes.contains(&c))
}

/// A function without the suffix that compilers give to their copies of it.
pub fn without_suffix(function: &str) -> &str {
    const CLONES: &[&str] = &[
        ".lto_priv",
        ".part",
        ".constprop",
        ".isra",
        ".cold",
        ".llvm",
        ".resume",
        ".destroy",
    ];
    let end = CLONES.iter().filter_map(|c| function.find(c)).min();
    &function[..end.unwrap_or(function.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vms_own_functions_are_told_whatever_they_begin_like() {
        for name in [
            "poll_register",
            "poll_poll_internal",
            "exit_thread_handle",
            "main_loop_hook",
            "raise_exception",
            "clone_frame",
            "free_threadstate",
            "free_keys_object",
            "list_resize",
            "_PyEval_AddPendingCall",
            "_Py_TriggerGC",
            "select_kqueue_control",
        ] {
            assert_eq!(class(name), None, "{name}");
        }
    }

    #[test]
    fn what_every_stack_has_is_known_with_any_suffix() {
        for (name, of) in [
            ("poll", Wait),
            ("clone3", Start),
            ("__pthread_kill_implementation", Death),
            ("_Py_atomic_load_ptr_relaxed", Access),
            ("_Py_DECREF.part.0", Access),
            ("mi_free", Allocator),
            ("__libc_free", Allocator),
            ("__GI___libc_free", Allocator),
            ("__GI_abort", Death),
            ("__GI___poll", Wait),
            ("malloc@plt", Allocator),
            ("__memmove_avx_unaligned_erms", Bytes),
            ("__tsan_read8", Sanitizer),
            ("core::panicking::panic_fmt", Death),
            ("<core::option::Option<T>>::unwrap", Access),
            ("_PyEval_EvalFrameDefault", Call),
        ] {
            assert_eq!(class(name), Some(of), "{name}");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut all: Vec<&str> = TABLE.iter().flat_map(|(_, f)| f.iter().copied()).collect();
        all.sort_unstable();
        let mut once = all.clone();
        once.dedup();
        assert_eq!(all.len(), once.len());
    }
}
