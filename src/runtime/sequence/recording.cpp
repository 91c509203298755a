// SPDX-License-Identifier: Apache-2.0
#include "runtime/sequence/recording.hpp"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "runtime/sequence/handles.hpp"

namespace npurt::detail::sequences {

namespace {

constexpr std::size_t most_rows = 16384, most_columns = 8192;

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

/// The operations that a tensor is there for.
struct life {
  std::size_t first = 0, last = 0;
};

std::vector<life> lives_of(const program& in) {
  std::vector<life> all(in.all.size(), {in.steps.size(), 0});
  for (std::size_t i = 0; i < in.steps.size(); ++i) {
    for (const argument& each : in.steps[i].arguments) {
      const auto* tensor = std::get_if<std::size_t>(&each);
      if (tensor == nullptr) continue;
      all[*tensor].first = std::min(all[*tensor].first, i);
      all[*tensor].last = i;
    }
  }
  return all;
}

/// Intermediate tensors of equal columns and pitch, whose zeros are in the same places, take turns in memory. A tensor
/// that its operation does not write to the last row stays alone: what another one left there could be no numbers.
void share_memory(program& in, const std::vector<std::size_t>& rows_written) {
  std::vector<life> busy = lives_of(in);
  const auto takes_turns = [&](std::size_t i) {
    return in.all[i].role == role::intermediate && rows_written[busy[i].first] >= in.all[i].memory_rows;
  };
  const auto free_for = [&](std::size_t i, std::size_t owner) {
    return in.owners[owner] == owner && takes_turns(owner) && in.all[owner].columns == in.all[i].columns &&
           in.all[owner].pitch == in.all[i].pitch && busy[owner].last < busy[i].first;
  };
  for (std::size_t i = 0; i < in.all.size(); ++i) {
    std::size_t owner = takes_turns(i) ? 0 : i;
    while (owner < i && !free_for(i, owner)) ++owner;
    in.owners.push_back(owner);
    in.bytes.push_back(in.all[i].size_bytes());
    in.bytes[owner] = std::max(in.bytes[owner], in.bytes[i]);
    busy[owner].last = std::max(busy[owner].last, busy[i].last);
  }
}

}  // namespace

recording::recording() : identity_(next_identity()) {}

sequence_tensor recording::handle(std::size_t index) const {
  return handles::make(identity_, index, tensors_[index].rows, tensors_[index].columns);
}

sequence_tensor recording::input(std::string name, std::size_t rows, std::size_t columns) {
  check_range("sequence", "an input", "R", rows, most_rows);
  check_range("sequence", "an input", "C", columns, most_columns);
  check_name(name);
  tensors_.push_back({.rows = rows, .columns = columns, .name = std::move(name), .role = role::input});
  return handle(tensors_.size() - 1);
}

operand recording::part(const sequence_tensor& given) const {
  const auto [owner, index, first_column] = handles::read(given);
  if (owner != identity_) throw sequence_error("an operand of a sequence is a tensor of another one");
  return {index, given.rows(), first_column, given.columns()};
}

operand recording::whole(const sequence_tensor& given) const {
  const operand all = part(given);
  if (all.columns == tensors_[all.tensor].columns) return all;
  throw sequence_error(
      fmt::format("columns {} to {} of a tensor of {} columns: only attention reads some of the columns",
                  all.first_column, all.first_column + all.columns - 1, tensors_[all.tensor].columns));
}

void recording::keep(std::unique_ptr<step> made) {
  described_.push_back(made->describe());
  steps_.push_back(std::move(made));
}

void recording::check_name(const std::string& name) const {
  if (name.empty()) throw sequence_error("an input or output of a sequence without a name");
  if (std::ranges::find(tensors_, name, &tensor::name) == tensors_.end()) return;
  throw sequence_error(fmt::format("a sequence has an input or output '{}' already", name));
}

void recording::output(std::string name, const sequence_tensor& result) {
  check_name(name);
  tensor& named = tensors_[whole(result).tensor];
  if (named.role != role::intermediate) {
    throw sequence_error(fmt::format("output '{}' of a sequence is '{}' already", name, named.name));
  }
  named.name = std::move(name);
  named.role = role::output;
}

std::shared_ptr<const program> recording::compile() const {
  if (std::ranges::find(tensors_, role::output, &tensor::role) == tensors_.end()) {
    throw sequence_error("a sequence without an output");
  }
  auto made = std::make_shared<program>();
  made->all = tensors_;
  for (tensor& each : made->all) each.need(each.rows, (each.columns + 1) / 2 * 2);
  // Extents only grow, and no operation asks for more than its own and its tensors' largest.
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& each : steps_) changed |= each->shape(made->all);
  }
  std::vector<std::size_t> rows_written;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    overlay::recipe written = steps_[i]->write(made->all);
    made->steps.push_back({described_[i], written.op, std::move(written.code), steps_[i]->arguments()});
    rows_written.push_back(steps_[i]->rows_written(made->all));
  }
  share_memory(*made, rows_written);
  return made;
}

std::size_t program::index_of(std::string_view name) const {
  const auto found = std::ranges::find(all, name, &tensor::name);
  if (found != all.end() && !name.empty()) return static_cast<std::size_t>(found - all.begin());
  throw sequence_error(fmt::format("a sequence has no input or output '{}'", name));
}

}  // namespace npurt::detail::sequences
