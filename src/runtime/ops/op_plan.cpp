// SPDX-License-Identifier: Apache-2.0
#include "npurt/ops/op_plan.hpp"

#include "runtime/overlay/plan.hpp"

namespace npurt {

op_plan::op_plan(std::shared_ptr<detail::overlay::plan> prepared, const char* type)
    : state_(std::move(prepared), type) {}

const op_report& op_plan::report() const { return prepared().report(); }
std::chrono::milliseconds op_plan::default_deadline() const { return prepared().default_deadline(); }

}  // namespace npurt
