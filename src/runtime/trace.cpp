// SPDX-License-Identifier: Apache-2.0
// Records spans and writes them. The format: "Trace Event Format" of Chrome's tracing, as Perfetto reads it.
#include "runtime/trace.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>
#include <set>
#include <string>

#include <fmt/format.h>

#include "runtime/log.hpp"

namespace npurt::detail::trace {

namespace {

constexpr std::size_t most_events = 1'000'000;

/// The clock of the emulator's timeline, too (npurt_emulator_timeline).
std::uint64_t now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

std::string micro(std::uint64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

std::string json_text(std::string_view text) {
  std::string made = "\"";
  for (const char each : text) {
    const auto code = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      made += '\\', made += each;
    } else if (code < 0x20) {
      made += fmt::format("\\u{:04x}", code);
    } else {
      made += each;
    }
  }
  return made += '"';
}

}  // namespace

struct event {
  const char* what = nullptr;  ///< of a span
  std::string detail;
  std::uint64_t start = 0, end = 0;  ///< ns; end is 0 as long as it goes on
  int thread = 0;
};

class recorder {
 public:
  explicit recorder(std::string path) : path_(std::move(path)) {}

  event* begin(const char* what, std::string_view detail) {
    thread_local const int thread = ::gettid();
    const std::lock_guard lock(mutex_);
    if (events_.size() >= most_events) {
      ++dropped_;
      return nullptr;
    }
    return &events_.emplace_back(what, std::string(detail), now(), 0, thread);
  }

  void end(event& open) {
    const std::lock_guard lock(mutex_);
    open.end = now();
  }

  /// A forked child has its parent's events, and no part in its file.
  void write() {
    if (::getpid() != process_) return;
    const std::lock_guard lock(mutex_);
    std::ofstream out(path_);
    out << fmt::format(R"({{"displayTimeUnit":"ns","otherData":{{"dropped_events":{},"note":"the host's times; those )"
                       R"(of the array are modelled, each command from where the host has it begin"}},"traceEvents":[)",
                       dropped_);
    write_names(out);
    for (const event& each : events_) write(out, each);
    write_emulated(out);
    out << "\n]}\n";
    if (!out.flush()) log().error("NPURT_TRACE: {} cannot be written", path_);
  }

 private:
  void write_names(std::ostream& out) const {
    out << fmt::format(
        "\n"
        R"({{"ph":"M","pid":{0},"name":"process_name","args":{{"name":"host"}}}})",
        process_);
    std::set<int> threads;
    for (const event& each : events_) threads.insert(each.thread);
    for (const int thread : threads) {
      out << fmt::format(
          ",\n"
          R"({{"ph":"M","pid":{0},"tid":{1},"name":"thread_name","args":{{"name":"{2}"}}}})",
          process_, thread, thread == process_ ? "main" : "thread");
    }
  }

  void write(std::ostream& out, const event& each) const {
    const std::uint64_t end = each.end != 0 ? each.end : now();
    if (each.what != nullptr) {
      out << fmt::format(
          ",\n"
          R"({{"ph":"X","pid":{},"tid":{},"name":"{}","ts":{},"dur":{},"args":{{"of":{}}}}})",
          process_, each.thread, each.what, micro(each.start - origin_), micro(end - each.start),
          json_text(each.detail));
      return;
    }
    const auto id = reinterpret_cast<std::uintptr_t>(&each);
    for (const auto& [phase, at] : {std::pair('b', each.start), std::pair('e', end)}) {
      out << fmt::format(
          ",\n"
          R"({{"ph":"{}","cat":"command","id":"{:#x}","pid":{},"tid":{},"name":{},"ts":{}}})",
          phase, id, process_, each.thread, json_text(each.detail), micro(at - origin_));
    }
  }

  /// The array's timeline, if this process has an emulated one: include/npurt/emulator.hpp says how it is found.
  void write_emulated(std::ostream& out) const {
    using take = void(void* to, const char* text, std::size_t length);
    auto* const timeline =
        reinterpret_cast<int (*)(std::uint64_t, take*, void*)>(::dlsym(RTLD_DEFAULT, "npurt_emulator_timeline"));
    if (timeline == nullptr) return;
    std::string events;
    timeline(
        origin_,
        [](void* to, const char* text, std::size_t length) { static_cast<std::string*>(to)->append(text, length); },
        &events);
    if (!events.empty()) out << ",\n" << events;
  }

  const std::string path_;
  const int process_ = ::getpid();
  const std::uint64_t origin_ = now();
  std::mutex mutex_;
  std::deque<event> events_;  // whose elements stay where they are
  std::uint64_t dropped_ = 0;
};

namespace {

recorder* make_active() {
  const char* const path = std::getenv("NPURT_TRACE");
  return path != nullptr && *path != '\0' ? new recorder(path) : nullptr;
}

}  // namespace

recorder* const active = make_active();

namespace {

/// Never destroyed is the recorder: what is in flight at exit may end after its file has been written.
const struct writer {
  writer() = default;
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() {
    try {
      if (active != nullptr) active->write();
    } catch (const std::exception& failure) {
      log().error("NPURT_TRACE: {}", failure.what());
    }
  }
} at_exit;

event* begin_event(const char* what, std::string_view detail) noexcept {
  try {
    return active->begin(what, detail);
  } catch (const std::exception&) {
    return nullptr;  // no memory for a trace is no reason to fail
  }
}

}  // namespace

void span::begin(const char* what, std::string_view detail) noexcept { open_ = begin_event(what, detail); }
void span::end() noexcept { active->end(*open_); }

void flight::take_off(std::string_view what) noexcept { open_ = begin_event(nullptr, what); }
void flight::land() noexcept {
  active->end(*open_);
  open_ = nullptr;
}

}  // namespace npurt::detail::trace
