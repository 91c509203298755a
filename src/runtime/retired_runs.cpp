// SPDX-License-Identifier: Apache-2.0
#include "runtime/retired_runs.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <mutex>
#include <vector>

#include "runtime/log.hpp"

namespace npurt::detail {

namespace {

/// What the device works on though its owner is gone. Leaked on purpose at exit: XRT would abort.
class graveyard {
 public:
  static graveyard& get() {
    static auto* one = new graveyard;
    return *one;
  }

  void bury(std::shared_ptr<void> what, std::string_view name, std::function<bool()> ended) {
    std::vector<grave> gone;
    const std::lock_guard lock(mutex_);
    gone = take_ended();
    log().warn("a run of {} was destroyed while in flight; it is kept until it ends", name);
    buried_.push_back({std::move(what), std::move(ended)});
  }

  void sweep() {
    std::vector<grave> gone;
    const std::lock_guard lock(mutex_);
    gone = take_ended();
  }

 private:
  struct grave {
    std::shared_ptr<void> what;
    std::function<bool()> ended;
  };

  static bool has_ended(const grave& each) {
    try {
      return each.ended();
    } catch (const std::exception&) {
      return false;
    }
  }

  /// To be destroyed without the mutex: what a run keeps may bury others.
  std::vector<grave> take_ended() {
    const auto first = std::ranges::partition(buried_, std::not_fn(has_ended)).begin();
    std::vector<grave> gone(std::make_move_iterator(first), std::make_move_iterator(buried_.end()));
    buried_.erase(first, buried_.end());
    return gone;
  }

  std::mutex mutex_;
  std::vector<grave> buried_;
};

}  // namespace

void keep_until(std::shared_ptr<void> what, std::string_view name, std::function<bool()> ended) noexcept {
  try {
    graveyard::get().bury(what, name, std::move(ended));
  } catch (...) {
    static_cast<void>(new std::shared_ptr<void>(std::move(what)));
  }
}

void release_ended_runs() { graveyard::get().sweep(); }

}  // namespace npurt::detail
