// SPDX-License-Identifier: Apache-2.0
// The interposer's process-wide state: lazy construction, fork, exit.
#include "emu/shim/session.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <unordered_map>

#include "emu/shim/tree.hpp"

namespace npurt::emu::shim {
namespace {

/// Never destroyed: calls may come after static destructors have run.
struct state {
  std::unique_ptr<device_model> model;
  std::unique_ptr<tree> files;
  std::unordered_map<int, std::shared_ptr<device_file>> descriptors;
  pid_t owner = 0;
};

constinit std::mutex mutex;
constinit state* current = nullptr;
constinit std::atomic<int> open_descriptors = 0;
constinit bool handlers_registered = false;

/// Set while this thread constructs the state, whose own calls must reach libc.
constinit thread_local bool constructing = false;

void before_fork() { mutex.lock(); }
void after_fork_in_parent() { mutex.unlock(); }

void after_fork_in_child() {
  if (current != nullptr && current->files) current->files->abandon();
  current = nullptr;  // leaked: destroying it would wait for threads that do not exist here
  open_descriptors = 0;
  mutex.unlock();
}

void at_exit() {
  device_model* model = nullptr;
  {
    const std::lock_guard lock(mutex);
    if (current == nullptr || current->owner != ::getpid()) return;
    model = current->model.get();
    current->files.reset();
  }
  model->shut_down();
}

/// Needs the mutex. Null if the tree cannot be made; the device is then not seen, and stderr says why.
state* get_state() {
  if (current != nullptr) return current;
  constructing = true;
  auto made = std::make_unique<state>();
  try {
    made->owner = ::getpid();
    made->model = make_device_model();
    made->files = std::make_unique<tree>(made->model->tree());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "npurt-emu: no emulated device: %s\n", error.what());
  }
  constructing = false;
  current = made.release();
  if (!handlers_registered) {
    ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    std::atexit(at_exit);
    handlers_registered = true;
  }
  return current;
}

bool watched(const char* path) {
  if (path == nullptr || constructing) return false;
  for (const char* prefix : watched_prefixes)
    if (std::strncmp(path, prefix, std::strlen(prefix)) == 0) return true;
  return false;
}

/// A vfork'ed child shares this memory: what it closes before exec is still open in the parent.
bool in_owner(const state& state) { return state.owner == ::getpid(); }

}  // namespace

std::optional<std::string> redirected(const char* path) {
  if (!watched(path)) return std::nullopt;
  const std::lock_guard lock(mutex);
  const auto* state = get_state();
  return state->files ? state->files->inside(path) : std::nullopt;
}

std::optional<std::string> restored(const char* resolved) {
  const std::lock_guard lock(mutex);
  return current != nullptr && current->files ? current->files->outside(resolved) : std::nullopt;
}

bool is_device_node(const char* path) {
  if (!watched(path)) return false;
  const std::lock_guard lock(mutex);
  const auto* state = get_state();
  return state->files && state->model->tree().node == path;
}

int open_device(int flags) {
  device_model* model = nullptr;
  {
    const std::lock_guard lock(mutex);
    model = get_state()->model.get();
  }
  auto file = model->open();
  if (!file) {
    errno = file.error();
    return -1;
  }
  const int fd = ::memfd_create("npurt-emu:device", (flags & O_CLOEXEC) != 0 ? MFD_CLOEXEC : 0);
  if (fd < 0) return -1;
  const std::lock_guard lock(mutex);
  if (current->descriptors.insert_or_assign(fd, std::shared_ptr<device_file>(std::move(*file))).second)
    ++open_descriptors;
  return fd;
}

std::shared_ptr<device_file> find_device(int fd) {
  if (open_descriptors.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(mutex);
  if (current == nullptr) return nullptr;
  const auto found = current->descriptors.find(fd);
  return found == current->descriptors.end() ? nullptr : found->second;
}

void share_device(int fd, int copy) {
  if (open_descriptors.load(std::memory_order_relaxed) == 0 || copy < 0) return;
  const std::lock_guard lock(mutex);
  if (current == nullptr || !in_owner(*current)) return;
  const auto found = current->descriptors.find(fd);
  if (found == current->descriptors.end()) return;
  const auto file = found->second;
  if (current->descriptors.insert_or_assign(copy, file).second) ++open_descriptors;
}

std::shared_ptr<device_file> forget_device(int fd) {
  if (open_descriptors.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(mutex);
  if (current == nullptr) return nullptr;
  const auto found = current->descriptors.find(fd);
  if (found == current->descriptors.end() || !in_owner(*current)) return nullptr;
  auto file = std::move(found->second);
  current->descriptors.erase(found);
  --open_descriptors;
  return file;
}

}  // namespace npurt::emu::shim
