// SPDX-License-Identifier: Apache-2.0
// npurt pack: an XCLBIN from a PDI and the names of its kernel's buffers.
#include <algorithm>
#include <cctype>
#include <format>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>

#include "../files.hpp"
#include "config/package.hpp"
#include "inspect/lint.hpp"
#include "options.hpp"

namespace npurt::tools {

namespace {

constexpr std::size_t most_buffers = 7;  // 19 words of a command: opcode, instructions, their count, 7 addresses
constexpr std::size_t longest_name = 31;

/// Names go into XML, into a field of 64 bytes, and on XRT's side into "kernel:instance".
void check_name(const std::string& name, const char* what) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (name.empty() || name.size() > longest_name || !std::ranges::all_of(name, allowed)) {
    throw std::runtime_error(std::format("{} \"{}\": 1 to {} letters, digits and _", what, name, longest_name));
  }
}

/// "in:bo" as "in".
std::string buffer_name(const std::string& argument) {
  const std::size_t colon = argument.find(':');
  const std::string type = colon == std::string::npos ? "bo" : argument.substr(colon + 1);
  if (type != "bo") {
    throw std::runtime_error(
        std::format("--arg {}: a command passes buffers (bo) only; what is no buffer goes into the control "
                    "code",
                    argument));
  }
  return argument.substr(0, colon);
}

config::package_description description_of(const pack_options& options) {
  config::package_description package{
      .kernel = options.kernel, .columns = options.columns, .buffers = {}, .user_metadata = {}};
  check_name(package.kernel, "--kernel");
  std::set<std::string> names{"opcode", "instr", "ninstr"};
  for (const std::string& argument : options.arguments) {
    package.buffers.push_back(buffer_name(argument));
    check_name(package.buffers.back(), "--arg");
    if (!names.insert(package.buffers.back()).second) {
      throw std::runtime_error(std::format("--arg {}: there is an argument of that name", argument));
    }
  }
  if (package.buffers.size() > most_buffers) {
    throw std::runtime_error(
        std::format("{} buffers: a command passes at most {}", package.buffers.size(), most_buffers));
  }
  return package;
}

}  // namespace

int run_pack(const pack_options& options) {
  const auto bytes = read_file(options.pdi);
  const auto pdi = std::as_bytes(std::span(bytes));
  const config::package_description package = description_of(options);
  std::vector<inspect::finding> findings;
  try {
    inspect::lint_pdi(pdi, options.columns, options.pdi, findings);
  } catch (const binfmt::format_error& damage) {
    throw std::runtime_error(options.pdi + ": " + damage.what());
  }
  if (inspect::gravest(findings) == inspect::severity::error && !options.force) {
    print_text(options.json ? nlohmann::ordered_json{{"findings", inspect::to_json(findings)}}.dump(2) + "\n"
                            : inspect::to_text(findings) + "nothing written; --force packs it all the same\n");
    return found_something;
  }
  const std::vector<std::byte> xclbin = config::make_xclbin(pdi, package);
  write_file(options.output, xclbin);
  const auto left = inspect::lint(xclbin);
  print_text(options.json ? nlohmann::ordered_json{{"file", options.output},
                                                   {"bytes", xclbin.size()},
                                                   {"findings", inspect::to_json(left)}}
                                    .dump(2) +
                                "\n"
                          : std::format("{}: kernel {}, {} buffers, {} columns, {} bytes\n", options.output,
                                        package.kernel, package.buffers.size(), package.columns, xclbin.size()) +
                                inspect::to_text(left));
  return all_well;
}

}  // namespace npurt::tools
