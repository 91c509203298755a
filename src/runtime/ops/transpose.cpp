// SPDX-License-Identifier: Apache-2.0
// Transposition: block by block, each a call of its own.
#include "npurt/ops/transpose.hpp"

#include <algorithm>

#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/transpose_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::transpose_job;

constexpr std::size_t argument_x = 0, argument_y = 1;

std::size_t padded(std::size_t extent, std::size_t multiple) { return (extent + multiple - 1) / multiple * multiple; }

transpose_job job_of(const transpose_shape& block) {
  const auto e = static_cast<std::uint32_t>(block.element_bytes);
  return {.rows = static_cast<std::uint32_t>(padded(block.rows, overlay::transpose_rows(e))),
          .columns = static_cast<std::uint32_t>(padded(block.columns, overlay::transpose_columns)),
          .element_bytes = e};
}

std::shared_ptr<plan> plan_for(device& target, const transpose_job& job) {
  const std::size_t bytes = std::size_t{job.rows} * job.columns * job.element_bytes;
  return target.state()->ops.plan_of(
      target,
      {.operation = static_cast<std::uint32_t>(operation::transpose),
       .numbers = {job.rows, job.columns, job.element_bytes}},
      [&] { return overlay::recipe{operation::transpose, overlay::transpose_code(job), {bytes, bytes}}; });
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
        copy_rows(into.data(argument_x), job.columns * e, at.x, at.x_pitch, block.rows, block.columns * e);
        into.to_device(argument_x);
      },
      [&](plan& from) {
        from.from_device(argument_y);
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
