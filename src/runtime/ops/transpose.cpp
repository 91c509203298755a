// SPDX-License-Identifier: Apache-2.0
// Transposition: block by block, each a call of its own.
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

std::shared_ptr<plan> plan_for(device& target, const transpose_job& job) {
  const std::size_t bytes = std::size_t{job.rows} * job.columns * job.element_bytes;
  return target.state()->ops.plan_of(target,
                                     {.operation = static_cast<std::uint32_t>(operation::transpose),
                                      .numbers = {job.rows, job.columns, job.element_bytes}},
                                     [&] {
                                       return overlay::recipe{operation::transpose,
                                                              overlay::transpose_code(job),
                                                              {bytes, bytes},
                                                              {},
                                                              fmt::format("up to {}x{}", job.rows, job.columns)};
                                     });
}

/// Where a block lies in x and in y, and how far their rows are apart.
struct place {
  const std::byte* x;
  std::byte* y;
  std::size_t x_pitch, y_pitch;
};

void call_block(plan& prepared, const transpose_job& job, const transpose_shape& block, const place& at) {
  const std::size_t e = block.element_bytes;
  prepared.call(
      prepared.default_deadline(),
      [&](plan& into) {
        const bool x_dense = at.x_pitch == job.columns * e && job.columns == block.columns;
        if (!x_dense || !into.read_in_place(argument_x, {at.x, block.rows * at.x_pitch})) {
          copy_rows(into.data(argument_x), job.columns * e, at.x, at.x_pitch, block.rows, block.columns * e);
        }
        into.to_device(argument_x);
        const bool y_dense = at.y_pitch == job.rows * e && job.rows == block.rows;
        if (y_dense) into.write_in_place(argument_y, {at.y, block.columns * at.y_pitch});
      },
      [&](plan& from) {
        from.from_device(argument_y);
        if (from.in_place(argument_y)) return;
        copy_rows(at.y, at.y_pitch, from.data(argument_y), job.rows * e, block.columns, block.rows * e);
      });
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
      const transpose_job job = job_of(block);
      const auto prepared = plan_for(target, job);
      call_block(*prepared, job, block,
                 {x.data() + (row * shape.columns + column) * e, y.data() + (column * shape.rows + row) * e,
                  shape.columns * e, shape.rows * e});
      report = &target.state()->ops.keep(prepared->report());
    }
  }
  return *report;
}

}  // namespace npurt::detail
