// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication: plans, their cache, and the copies in and out of the padded buffers.
#include "npurt/ops/matmul.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include <fmt/format.h>

#include "npurt/buffer.hpp"
#include "npurt/detail/control_code.hpp"
#include "npurt/run.hpp"
#include "runtime/device_state.hpp"
#include "runtime/log.hpp"
#include "runtime/prebuilt.hpp"
#include "runtime/xclbin_check.hpp"

namespace npurt {

namespace detail {

struct matmul_plan_state {
  matmul_plan_state(std::shared_ptr<matmul_overlay> opened, std::weak_ptr<device_state> owner,
                    const matmul_shape& wanted)
      : overlay(std::move(opened)),
        device(std::move(owner)),
        shape(wanted),
        whole(padded(wanted)),
        a(overlay->i8_matmul, whole.m * whole.k),
        b(overlay->i8_matmul, whole.k * whole.n),
        c(overlay->i8_matmul, whole.m * whole.n),
        command(overlay->i8_matmul, matmul_control_code(whole), a, b, c) {
    // The padding stays zero: calls write the inner part only.
    if (shape != whole) {
      std::ranges::fill(a, std::int8_t{0});
      std::ranges::fill(b, std::int8_t{0});
    }
  }

  std::shared_ptr<matmul_overlay> overlay;
  std::weak_ptr<device_state> device;
  matmul_shape shape;
  matmul_shape whole;
  buffer<std::int8_t> a;
  buffer<std::int8_t> b;
  buffer<std::int32_t> c;
  run command;
  std::mutex mutex;
  bool broken = false;
};

namespace {

constexpr const char* kernel_name = "i8_matmul";
constexpr const char* xclbin_name = "i8-matmul";

void check_extent(const char* letter, const char* where, std::size_t given, std::size_t wanted) {
  if (given == wanted) return;
  throw shape_error(letter, fmt::format("matmul: {} is {} in {}, it must be {}", letter, given, where, wanted));
}

void check_shape(const matmul_shape& shape, const matrix_view<const std::int8_t>& a,
                 const matrix_view<const std::int8_t>& b, const matrix_view<std::int32_t>& c) {
  check_extent("M", "the rows of a", a.rows(), shape.m);
  check_extent("K", "the columns of a", a.columns(), shape.k);
  check_extent("K", "the rows of b", b.rows(), shape.k);
  check_extent("N", "the columns of b", b.columns(), shape.n);
  check_extent("M", "the rows of c", c.rows(), shape.m);
  check_extent("N", "the columns of c", c.columns(), shape.n);
}

// Copies rows between matrices whose rows have different pitches.
template <typename T>
void copy_rows(T* to, std::size_t to_pitch, const T* from, std::size_t from_pitch, std::size_t rows,
               std::size_t columns) {
  if (to_pitch == from_pitch && columns == to_pitch) {
    std::memcpy(to, from, rows * columns * sizeof(T));
    return;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::memcpy(to + row * to_pitch, from + row * from_pitch, columns * sizeof(T));
  }
}

std::chrono::milliseconds usual_deadline(const matmul_report& report) {
  using namespace std::chrono_literals;
  return report.emulated ? std::chrono::milliseconds(1h) : std::chrono::milliseconds(10s);
}

// A failed command may have taken its context with it, and the commands queued behind it.
void abandon(matmul_plan_state& plan) {
  plan.broken = true;
  if (const auto device = plan.device.lock()) device->matmul.forget(plan.overlay);
}

void execute(matmul_plan_state& plan, std::chrono::milliseconds deadline) {
  try {
    plan.command.start();
    plan.command.wait(deadline);
  } catch (const error&) {
    abandon(plan);
    throw;
  }
}

}  // namespace

// AIE2 devices by the names that the drivers give them; Hawk Point is a Phoenix to them.
void check_matmul_architecture(const std::string& device_name) {
  for (const char* name : {"Phoenix", "Hawk", "npu1"}) {
    if (device_name.contains(name)) return;
  }
  throw architecture_error(fmt::format(
      "{} is built for AIE2 (NPU Phoenix), the device is {}: open another device, or build the kernel for this one",
      kernel_name, device_name));
}

void multiply(matmul_plan_state& plan, matrix_view<const std::int8_t> a, matrix_view<const std::int8_t> b,
              matrix_view<std::int32_t> c, std::chrono::milliseconds deadline) {
  check_shape(plan.shape, a, b, c);
  const std::lock_guard lock(plan.mutex);
  if (plan.broken) {
    throw command_error(plan.command.state(), "matmul: a call of this plan failed before; make a new plan");
  }
  const auto& [m, n, k] = plan.shape;
  copy_rows(plan.a.data(), plan.whole.k, a.data(), k, m, k);
  copy_rows(plan.b.data(), plan.whole.n, b.data(), n, k, n);
  plan.a.to_device();
  plan.b.to_device();
  execute(plan, deadline);
  plan.c.from_device();
  copy_rows(c.data(), n, plan.c.data(), plan.whole.n, m, n);
}

std::shared_ptr<matmul_overlay> matmul_cache::open(const device& target) {
  check_matmul_architecture(target.name());
  const xclbin image(find_prebuilt(xclbin_name));
  check_pdi_uuids(image);
  hw_context context(target, image);
  kernel opened(context, kernel_name);
  matmul_report report{target.name(), target.emulated(), kernel_name, image.origin()};
  return std::make_shared<matmul_overlay>(std::move(context), std::move(opened), std::move(report));
}

std::shared_ptr<matmul_overlay> matmul_cache::overlay(const device& target) {
  const std::lock_guard lock(mutex_);
  if (!overlay_) overlay_ = open(target);
  return overlay_;
}

std::shared_ptr<matmul_plan_state> matmul_cache::plan(device& target, const matmul_shape& shape) {
  const auto opened = overlay(target);
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(plans_, shape, [](const auto& plan) { return plan->shape; });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
    return plans_.front();
  }
  plans_.push_front(std::make_shared<matmul_plan_state>(opened, target.state(), shape));
  if (plans_.size() > capacity) plans_.pop_back();
  return plans_.front();
}

void matmul_cache::forget(const std::shared_ptr<matmul_overlay>& failed) {
  const std::lock_guard lock(mutex_);
  if (overlay_ == failed) overlay_.reset();
  std::erase_if(plans_, [&](const auto& plan) { return plan->overlay == failed; });
}

const matmul_report& matmul_cache::keep(const matmul_report& report) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(reports_, report);
  return found != reports_.end() ? *found : reports_.emplace_back(report);
}

const matmul_report& matmul(device& target, matrix_view<const std::int8_t> a, matrix_view<const std::int8_t> b,
                            matrix_view<std::int32_t> c) {
  const matmul_shape shape{.m = a.rows(), .n = b.columns(), .k = a.columns()};
  static_cast<void>(padded(shape));
  check_shape(shape, a, b, c);
  const auto plan = target.state()->matmul.plan(target, shape);
  multiply(*plan, a, b, c, usual_deadline(plan->overlay->report));
  return target.state()->matmul.keep(plan->overlay->report);
}

namespace {

std::shared_ptr<matmul_plan_state> make_plan(device& target, const matmul_shape& shape) {
  static_cast<void>(padded(shape));
  return std::make_shared<matmul_plan_state>(target.state()->matmul.overlay(target), target.state(), shape);
}

}  // namespace

}  // namespace detail

matmul_plan::matmul_plan(device& target, const matmul_shape& shape)
    : state_(detail::make_plan(target, shape), "matmul_plan") {}

const matmul_shape& matmul_plan::shape() const { return state_->shape; }
const matmul_report& matmul_plan::report() const { return state_->overlay->report; }
std::chrono::milliseconds matmul_plan::default_deadline() const {
  return detail::usual_deadline(state_->overlay->report);
}

}  // namespace npurt
