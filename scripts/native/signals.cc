// Keeps signals away from the thread that computes.
//
// TensorFlow's matrix kernels (oneDNN, generated at run time) use the stack pointer as an ordinary register: for a good part
// of a multiplication it points into the heap. A handler that runs on the interrupted thread writes its frame wherever that
// register points, so one Ctrl+C at the wrong moment overwrites the heap ("corrupted size vs. prev_size"). Node asks for no
// stack of its own for its handlers, so the cure is here: the thread that loads TensorFlow, and with it every thread that
// TensorFlow starts from there, blocks what comes from outside. The system hands such signals to another thread of Node, and
// Node's handlers work from any. Linux only: elsewhere the addon is the package's own.
#include <initializer_list>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

namespace {

constexpr size_t kStackBytes = 256 * 1024;

__attribute__((constructor)) void KeepSignalsAway() {
  // Handlers that do ask for a stack of their own (V8's sampling profiler, which must interrupt this very thread) find one.
  stack_t present{};
  if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE)) {
    void *memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
      stack_t own{};
      own.ss_sp = memory;
      own.ss_size = kStackBytes;
      sigaltstack(&own, nullptr);
    }
  }
  sigset_t blocked;
  sigfillset(&blocked);
  // A fault of the thread's own cannot wait.
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&blocked, fault);
  struct sigaction profiler{};
  if (sigaction(SIGPROF, nullptr, &profiler) == 0 && profiler.sa_handler != SIG_DFL && profiler.sa_handler != SIG_IGN) {
    profiler.sa_flags |= SA_ONSTACK;
    if (sigaction(SIGPROF, &profiler, nullptr) == 0) sigdelset(&blocked, SIGPROF);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

}  // namespace
