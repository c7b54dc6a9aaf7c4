/* Counters in C, for a VM with or without a GIL. Tally.add reads, works and writes: without a GIL
   an update of two threads is lost. Atomic.add does it in one atomic step. Applied[f] reads, calls f and writes
   what it gave: an update is lost while f runs, with a GIL too. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct {
    PyObject_HEAD
    long n;
} Counter;

static PyObject *
tally_add(PyObject *self, PyObject *arg)
{
    long k = PyLong_AsLong(arg);
    if (k == -1 && PyErr_Occurred()) {
        return NULL;
    }
    volatile long *n = &((Counter *)self)->n;
    long before = *n;
    for (volatile int i = 0; i < 2000; i++) {
    }
    *n = before + k;
    Py_RETURN_NONE;
}

static PyObject *
atomic_add(PyObject *self, PyObject *arg)
{
    long k = PyLong_AsLong(arg);
    if (k == -1 && PyErr_Occurred()) {
        return NULL;
    }
    __atomic_fetch_add(&((Counter *)self)->n, k, __ATOMIC_SEQ_CST);
    Py_RETURN_NONE;
}

static PyObject *
counter_value(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(((Counter *)self)->n);
}

static PyObject *
applied_subscript(PyObject *self, PyObject *f)
{
    PyObject *made = PyObject_CallFunction(f, "l", ((Counter *)self)->n);
    if (made == NULL) {
        return NULL;
    }
    ((Counter *)self)->n = PyLong_AsLong(made);
    Py_DECREF(made);
    Py_RETURN_NONE;
}

static PyMethodDef tally_methods[] = {
    {"add", tally_add, METH_O, NULL}, {"value", counter_value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyMethodDef atomic_methods[] = {
    {"add", atomic_add, METH_O, NULL}, {"value", counter_value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyType_Slot tally_slots[] = {{Py_tp_methods, tally_methods}, {0, NULL}};
static PyType_Slot atomic_slots[] = {{Py_tp_methods, atomic_methods}, {0, NULL}};
static PyMethodDef applied_methods[] = {{"value", counter_value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyType_Slot applied_slots[] = {
    {Py_tp_methods, applied_methods}, {Py_mp_subscript, applied_subscript}, {0, NULL}};
static PyType_Spec tally_spec = {"racyext.Tally", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT, tally_slots};
static PyType_Spec atomic_spec = {"racyext.Atomic", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT, atomic_slots};
static PyType_Spec applied_spec = {"racyext.Applied", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT, applied_slots};

static int
fill(PyObject *module)
{
    PyObject *tally = PyType_FromSpec(&tally_spec);
    PyObject *atomic = PyType_FromSpec(&atomic_spec);
    PyObject *applied = PyType_FromSpec(&applied_spec);
    if (tally == NULL || atomic == NULL || applied == NULL || PyModule_AddObject(module, "Tally", tally) < 0
        || PyModule_AddObject(module, "Atomic", atomic) < 0 || PyModule_AddObject(module, "Applied", applied) < 0) {
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "racyext", NULL, 0, NULL, slots, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit_racyext(void)
{
    return PyModuleDef_Init(&module);
}
