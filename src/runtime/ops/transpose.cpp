// SPDX-License-Identifier: Apache-2.0
// Transposition: block by block, each a call of its own; or all of a matrix in one call.
#include "npurt/ops/transpose.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/transpose_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::transpose_job;

using overlay::argument_x;
using overlay::argument_y;

/// Everything padded, so that blocks of a size share a plan.
transpose_job job_of(const transpose_shape& block) {
  const auto e = static_cast<std::uint32_t>(block.element_bytes);
  const std::uint32_t rows = overlay::padded_transpose_rows(static_cast<std::uint32_t>(block.rows), e);
  const std::uint32_t columns = overlay::padded_transpose_columns(static_cast<std::uint32_t>(block.columns));
  return {.rows = rows, .columns = columns, .element_bytes = e, .x_pitch = columns, .y_pitch = rows};
}

overlay::recipe recipe_of(const transpose_job& job) {
  const std::size_t bytes = std::size_t{job.rows} * job.columns * job.element_bytes;
  return {operation::transpose,
          overlay::transpose_code(job),
          {bytes, bytes},
          {},
          fmt::format("up to {}x{}", job.rows, job.columns)};
}

std::shared_ptr<plan> plan_for(device& target, const transpose_job& job) {
  return target.state()->ops.plan_of(target,
                                     {.operation = static_cast<std::uint32_t>(operation::transpose),
                                      .numbers = {job.rows, job.columns, job.element_bytes}},
                                     [&] { return recipe_of(job); });
}

/// Where a block lies in x or y, and how many bytes its rows are apart.
template <typename Byte>
struct place {
  Byte* first;
  std::size_t pitch;
};

void fill_block(plan& into, const transpose_shape& block, const place<const std::byte>& x) {
  const transpose_job job = job_of(block);
  const std::size_t e = block.element_bytes, pitch = job.columns * e;
  const bool dense = x.pitch == pitch && job.columns == block.columns;
  if (!dense || !into.read_in_place(argument_x, {x.first, block.rows * x.pitch})) {
    copy_rows(into.data(argument_x), pitch, x.first, x.pitch, block.rows, block.columns * e);
  }
  into.to_device(argument_x);
}

void offer_block(plan& into, const transpose_shape& block, const place<std::byte>& y) {
  const transpose_job job = job_of(block);
  const bool dense = y.pitch == job.rows * block.element_bytes && job.rows == block.rows;
  if (dense) into.write_in_place(argument_y, {y.first, block.columns * y.pitch});
}

void take_block(plan& from, const transpose_shape& block, const place<std::byte>& y) {
  from.from_device(argument_y);
  if (from.in_place(argument_y)) return;
  const std::size_t e = block.element_bytes;
  copy_rows(y.first, y.pitch, from.data(argument_y), job_of(block).rows * e, block.columns, block.rows * e);
}

void call_block(plan& on, const transpose_shape& block, const place<const std::byte>& x, const place<std::byte>& y,
                std::chrono::milliseconds deadline) {
  const auto fill = [&](plan& into) {
    fill_block(into, block, x);
    offer_block(into, block, y);
  };
  on.call(deadline, fill, [&](plan& from) { take_block(from, block, y); });
}

/// All of a matrix without gaps.
place<const std::byte> whole(const transpose_shape& shape, std::span<const std::byte> x) {
  return {x.data(), shape.columns * shape.element_bytes};
}
place<std::byte> whole_result(const transpose_shape& shape, std::span<std::byte> y) {
  return {y.data(), shape.rows * shape.element_bytes};
}

}  // namespace

const op_report& run_transpose(device& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y) {
  const std::size_t e = shape.element_bytes, most = transpose_max_bytes / e;
  check_range("transpose", "x", "C", shape.columns, most);
  check_range("transpose", "x", "R", shape.rows, most / shape.columns);
  const std::size_t most_rows = overlay::transpose_most_bytes / e;
  const op_report* report = nullptr;
  for (std::size_t row = 0; row < shape.rows; row += most_rows) {
    for (std::size_t column = 0; column < shape.columns; column += overlay::transpose_most_columns) {
      const transpose_shape block{std::min(most_rows, shape.rows - row),
                                  std::min<std::size_t>(overlay::transpose_most_columns, shape.columns - column), e};
      const auto prepared = plan_for(target, job_of(block));
      call_block(*prepared, block, {x.data() + (row * shape.columns + column) * e, shape.columns * e},
                 {y.data() + (column * shape.rows + row) * e, shape.rows * e}, prepared->default_deadline());
      report = &target.state()->ops.keep(prepared->report());
    }
  }
  return *report;
}

std::shared_ptr<plan> make_transpose(device& target, const transpose_shape& shape) {
  const std::size_t most = transpose_plan_max_row_bytes / shape.element_bytes;
  check_range("transpose_plan", "x", "C", shape.columns, most);
  check_range("transpose_plan", "x", "R", shape.rows, most);
  return target.state()->ops.make(target, recipe_of(job_of(shape)));
}

void start_transpose(plan& on, const transpose_shape& shape, std::span<const std::byte> x) {
  on.start([&](plan& into) { fill_block(into, shape, whole(shape, x)); });
}

void wait_transpose(plan& on, const transpose_shape& shape, std::span<std::byte> y,
                    std::chrono::milliseconds deadline) {
  on.wait(deadline, [&](plan& from) { take_block(from, shape, whole_result(shape, y)); });
}

void call_transpose(plan& on, const transpose_shape& shape, std::span<const std::byte> x, std::span<std::byte> y,
                    std::chrono::milliseconds deadline) {
  call_block(on, shape, whole(shape, x), whole_result(shape, y), deadline);
}

}  // namespace npurt::detail
