// SPDX-License-Identifier: Apache-2.0
#include "runtime/sequence/execution.hpp"

#include <cstring>
#include <ranges>

#include <fmt/format.h>

#include "runtime/hw_context_state.hpp"
#include "runtime/translate.hpp"

namespace npurt::detail::sequences {

void allocate(memories& into, const program& what, const kernel& target) {
  into.resize(what.all.size());
  for (std::size_t i = 0; i < into.size(); ++i) {
    if (into[i].data != nullptr) continue;
    if (const std::size_t owner = what.owners[i]; owner != i) {
      into[i] = into[owner];
      continue;
    }
    const std::shared_ptr<buffer_state> made = allocate_buffer(target, what.bytes[i]);
    std::memset(made->data, 0, what.bytes[i]);
    sync_buffer(*made, true);
    into[i] = {made->bo, static_cast<std::byte*>(made->data)};
  }
}

execution::execution(std::shared_ptr<overlay::session> place, std::shared_ptr<const program> what,
                     const memories& memory, std::size_t first, std::size_t count)
    : place_(std::move(place)), program_(std::move(what)) {
  held_ = context().use();
  number_ = held_->number;
  together_ = context().is_shared();
  translated<buffer_error>("a list of commands", [&] { list_ = xrt::runlist(held_->native); });
  for (std::size_t i = first; i < first + count; ++i) {
    const prepared_step& each = program_->steps[i];
    const auto page = overlay::page_of(place_->pages.pages(), each.op);
    if (page && together_) {
      add(i, false, overlay::with_page(place_->pages.pages(), *page, each.code), bound(each, memory));
      continue;
    }
    if (page) {
      if (last_page_ && last_page_ != page) add(i, true, overlay::page_code(place_->pages.pages(), *page), {});
      if (!first_page_) first_page_ = page;
      last_page_ = page;
    }
    add(i, false, each.code, bound(each, memory));
  }
  context().attach(*this);
}

execution::~execution() { context().detach(*this); }

bool execution::acquire() {
  held_ = context().use();
  const bool paged = together_ || first_page_;
  return held_->number == number_ && (!paged || together_ == context().is_shared());
}

void execution::abandon() noexcept {
  if (!held_) return;  // fail() has done it
  suspect();
  if (ended()) release();
}

void execution::let_go() noexcept {
  list_ = {};
  number_ = 0;
}

std::vector<xrt::bo> execution::bound(const prepared_step& each, const memories& memory) const {
  std::vector<xrt::bo> all;
  for (const argument& what : each.arguments) {
    const auto* tensor = std::get_if<std::size_t>(&what);
    all.push_back(tensor != nullptr ? memory[*tensor].bo : std::get<xrt::bo>(what));
  }
  return all;
}

void execution::add(std::size_t step, bool loads_page, std::span<const std::uint32_t> code,
                    const std::vector<xrt::bo>& buffers) {
  commands_.push_back({step, loads_page, make_run_in(held_, place_->target, code, buffers)});
  translated<buffer_error>("a list of commands", [&] { list_.add(commands_.back().run->native); });
}

// The list has noted the buffers of each run for the driver: it is filled anew.
void execution::rebind(std::size_t tensor, const xrt::bo& bo) {
  translated<buffer_error>("binding a buffer of a sequence", [&] {
    list_.reset();
    for (const command& each : commands_) {
      const std::vector<argument>& arguments = program_->steps[each.step].arguments;
      for (std::size_t i = 0; i < arguments.size() && !each.loads_page; ++i) {
        const auto* bound = std::get_if<std::size_t>(&arguments[i]);
        if (bound == nullptr || *bound != tensor) continue;
        each.run->buffers[i] = bo;
        each.run->native.set_arg(each.run->kernel->arguments.buffers[i], bo);
      }
      list_.add(each.run->native);
    }
  });
}

void execution::start() {
  failed_as_.reset();
  const auto execute = [this] {
    try {
      list_.execute();
    } catch (const std::exception& failure) {
      throw command_error(command_state::created,
                          fmt::format("a sequence of {} operations was not taken by the driver: XRT says: {}",
                                      commands_.size(), failure.what()));
    }
  };
  place_->pages.start(place_->target, held_, {first_page_, last_page_, together_}, execute);
}

bool execution::ended_within(std::chrono::milliseconds time) {
  if (failed_as_) fail(static_cast<command_state>(*failed_as_), "one of its operations", "that was its state");
  const auto over = [this](bool ended) {
    if (ended) {
      release();
      place_->pages.touch();
    }
    return ended;
  };
  try {
    return over(list_.wait(time) == std::cv_status::no_timeout);
  } catch (const xrt::runlist::command_error& failure) {
    fail(static_cast<command_state>(failure.get_command_state()), name_of(failure.get_run()), failure.what());
  } catch (const std::exception& failure) {
    // Where the driver hands out a syncobj, XRT reports an expired wait like this (see run.cpp).
    const ert_cmd_state state = state_now();
    if (!has_ended(state)) return false;
    if (state == ERT_CMD_STATE_COMPLETED) return over(true);
    fail(static_cast<command_state>(state), "one of its operations", failure.what());
  }
}

// The driver may refuse to be asked. Whoever waits asks again.
ert_cmd_state execution::state_now() const {
  if (failed_as_) return *failed_as_;
  try {
    const ert_cmd_state now = list_.state();
    if (has_ended(now) && now != ERT_CMD_STATE_COMPLETED) failed_as_ = now;
    return now;
  } catch (const std::exception&) {
    return ERT_CMD_STATE_SUBMITTED;
  }
}

bool execution::ended() const { return !held_ || has_ended(state_now()); }

std::string execution::name_of(const xrt::run& failed) const {
  const auto found = std::ranges::find_if(
      commands_, [&](const command& each) { return each.run->native.get_handle() == failed.get_handle(); });
  if (found == commands_.end()) return "one of its operations";
  return fmt::format("operation {}, {}{}", found->step, found->loads_page ? "the code for " : "",
                     program_->steps[found->step].info.name);
}

void execution::fail(command_state state, const std::string& where, const char* text) {
  suspect();
  release();
  throw command_error(state, fmt::format("a sequence of {} operations: {} {}. XRT says: {}{}", commands_.size(), where,
                                         describe(state), text, emulator_report()));
}

}  // namespace npurt::detail::sequences
