// SPDX-License-Identifier: Apache-2.0
// The choice between NPU and CPU.
#include "npurt/executor.hpp"

#include <fmt/format.h>

#include "cpu/elementwise.hpp"
#include "npurt/error.hpp"
#include "runtime/executor/executor_state.hpp"
#include "runtime/log.hpp"

namespace npurt {

namespace {

std::shared_ptr<detail::executor_state> open(where choice, unsigned index) {
  using detail::executor_state;
  if (choice == where::cpu) return std::make_shared<executor_state>(choice, std::nullopt, fallback_cause::none);
  fallback_cause cause = fallback_cause::none;
  std::string text;
  try {
    return std::make_shared<executor_state>(choice, device(index), fallback_cause::none);
  } catch (const no_device_error& failure) {
    if (choice == where::npu_only) throw;
    cause = fallback_cause::no_device;
    text = failure.what();
  } catch (const device_error& failure) {
    if (choice == where::npu_only) throw;
    cause = fallback_cause::device_refused;
    text = failure.what();
  }
  auto made = std::make_shared<executor_state>(choice, std::nullopt, cause);
  made->log_once(cause, text.c_str());
  return made;
}

std::shared_ptr<detail::executor_state> take(where choice, const device& npu) {
  return std::make_shared<detail::executor_state>(choice, device(npu.state()), fallback_cause::none);
}

template <typename... Errors>
bool is_any(const error& failure) {
  return ((dynamic_cast<const Errors*>(&failure) != nullptr) || ...);
}

}  // namespace

std::string describe(fallback_cause cause) {
  switch (cause) {
    case fallback_cause::none:
      return "nothing keeps calls from the NPU";
    case fallback_cause::no_device:
      return "there is no NPU";
    case fallback_cause::device_refused:
      return "the NPU or its driver refuses";
    case fallback_cause::device_lost:
      return "the NPU's driver takes no commands";
    case fallback_cause::beyond_limits:
      return "the call is beyond the NPU's limits";
  }
  return fmt::format("unknown cause {}", static_cast<unsigned>(cause));
}

executor::executor(where choice, unsigned index) : state_(open(choice, index), "executor") {}
executor::executor(where choice, const device& npu) : state_(take(choice, npu), "executor") {}

where executor::choice() const { return state_->choice; }
fallback_cause executor::missing() const { return state_->missing; }
bool executor::has_npu() const { return state_->npu.has_value(); }

device& executor::npu() const {
  if (state_->npu) return *state_->npu;
  throw no_device_error(choice() == where::cpu ? "an executor of where::cpu has no NPU"
                                               : fmt::format("an executor has no NPU: {}", describe(missing())));
}

namespace detail {

executor_state::executor_state(where chosen, std::optional<device> opened, fallback_cause no_npu)
    : choice(chosen), npu(std::move(opened)), missing(no_npu) {
  for (std::size_t cause = 0; cause < reports_.size(); ++cause) {
    reports_[cause] = {.device_name = "cpu",
                       .kernel = cpu::vector_units(),
                       .xclbin = {},
                       .fallback = static_cast<fallback_cause>(cause)};
  }
}

void executor_state::log_once(fallback_cause cause, const char* text) {
  if (logged_[static_cast<std::size_t>(cause)].exchange(true)) return;
  log().warn("calls run on the CPU where {}; the first: {}", describe(cause), text);
}

fallback_cause executor_state::cause_of(const error& failure, bool repeatable) const {
  if (choice != where::prefer_npu) return fallback_cause::none;
  // What is wrong with the arguments themselves has been thrown before.
  if (is_any<shape_error, value_error>(failure)) return fallback_cause::beyond_limits;
  if (!repeatable) return fallback_cause::none;
  if (is_any<context_limit_error, device_error, buffer_error, architecture_error>(failure)) {
    return fallback_cause::device_refused;
  }
  // Of all commands that fail only one that was not taken has certainly done nothing.
  const auto* command = dynamic_cast<const command_error*>(&failure);
  if (command != nullptr && command->state() == command_state::created) return fallback_cause::device_lost;
  return fallback_cause::none;
}

}  // namespace detail

}  // namespace npurt
