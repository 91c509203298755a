// SPDX-License-Identifier: Apache-2.0
// What a check found out, said so that it can be acted on.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace npurt::inspect {

enum class severity { note, warning, error };
std::string to_string(severity level);

struct finding {
  std::string id;  ///< stable, for programs: "memlock-too-small"
  severity level = severity::error;
  std::string cause;     ///< what is wrong and what follows from it
  std::string evidence;  ///< where it is seen: the file, the field, the value
  std::string fix;       ///< what to do; commands as they are typed
};

/// @return the gravest of them, note if there is none
severity gravest(std::span<const finding> findings);

nlohmann::ordered_json to_json(std::span<const finding> findings);

/// A paragraph for each, in their order.
std::string to_text(std::span<const finding> findings);

}  // namespace npurt::inspect
