// SPDX-License-Identifier: Apache-2.0
#include "runtime/sequence/recording.hpp"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "runtime/ops/mel_operands.hpp"
#include "runtime/overlay/mel_code.hpp"
#include "runtime/sequence/handles.hpp"
#include "runtime/trace.hpp"

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
    return in.all[i].role == role::intermediate && in.all[i].form == form::matrix &&
           rows_written[busy[i].first] >= in.all[i].memory_rows;
  };
  const auto free_for = [&](std::size_t i, std::size_t owner) {
    return in.owners[owner] == owner && takes_turns(owner) && in.all[owner].columns == in.all[i].columns &&
           in.all[owner].element == in.all[i].element && in.all[owner].pitch == in.all[i].pitch &&
           busy[owner].last < busy[i].first;
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
  const tensor& of = tensors_[index];
  return handles::make(identity_, index, of.rows, of.columns, of.element);
}

sequence_tensor recording::input(std::string name, std::size_t rows, std::size_t columns, sequence_element element) {
  check_range("sequence", "an input", "R", rows, most_rows);
  check_range("sequence", "an input", "C", columns, most_columns);
  check_name(name);
  tensors_.push_back(
      {.rows = rows, .columns = columns, .element = element, .name = std::move(name), .role = role::input});
  return handle(tensors_.size() - 1);
}

// The tables that come with the samples hold how much they were scaled.
sequence_tensor recording::samples(std::string name, std::size_t count) {
  if (count < mel_min_samples || count > mel_max_samples) {
    throw shape_error("n", fmt::format("samples of a sequence: n is {}, it must be from {} to {}", count,
                                       mel_min_samples, mel_max_samples));
  }
  check_name(name);
  const std::vector<std::size_t> bytes = mel_recipe(count).buffer_bytes;
  tensors_.push_back({.rows = 1,
                      .columns = count,
                      .element = sequence_element::f32,
                      .form = form::mel_samples,
                      .name = std::move(name),
                      .role = role::input,
                      .least_bytes = bytes[overlay::argument_samples]});
  tensors_.push_back({.form = form::mel_tables, .role = role::input, .least_bytes = bytes[overlay::argument_tables]});
  return handle(tensors_.size() - 2);
}

operand recording::samples_of(const sequence_tensor& given) const {
  const operand all = owned(given);
  if (tensors_[all.tensor].form != form::mel_samples) throw sequence_error("mel reads samples, no matrix");
  check_whole(all);
  return all;
}

operand recording::part(const sequence_tensor& given) const {
  const operand some = owned(given);
  if (tensors_[some.tensor].form == form::matrix) return some;
  throw sequence_error("samples and the result of mel are no operands of other operations: the host has a part in it");
}

operand recording::owned(const sequence_tensor& given) const {
  const auto [owner, index, first_column] = handles::read(given);
  if (owner != identity_) throw sequence_error("an operand of a sequence is a tensor of another one");
  return {index, given.rows(), first_column, given.columns(), given.element()};
}

operand recording::whole(const sequence_tensor& given) const {
  const operand all = part(given);
  check_whole(all);
  return all;
}

void recording::check_whole(const operand& all) const {
  if (all.columns == tensors_[all.tensor].columns) return;
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
  const operand all = owned(result);
  check_whole(all);
  tensor& named = tensors_[all.tensor];
  if (named.role != role::intermediate) {
    throw sequence_error(fmt::format("output '{}' of a sequence is '{}' already", name, named.name));
  }
  named.name = std::move(name);
  named.role = role::output;
}

std::shared_ptr<const program> recording::compile() const {
  const trace::span now("sequence::compile");
  if (std::ranges::find(tensors_, role::output, &tensor::role) == tensors_.end()) {
    throw sequence_error("a sequence without an output");
  }
  auto made = std::make_shared<program>();
  made->all = tensors_;
  for (tensor& each : made->all) {
    if (each.form == form::matrix) each.need(each.rows, each.whole_columns());
  }
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
