// SPDX-License-Identifier: Apache-2.0
// What the mains of the tools have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

namespace npurt::tools {

/// Runs a tool on its arguments. @return what `run` returns; 2, with a line on stderr, for wrong arguments or an
/// exception
template <typename F>
int parse_and_run(CLI::App& app, const std::string& tool, int argc, char** argv, F&& run) {
  try {
    app.parse(argc, argv);
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fputs((tool + ": " + error.what() + "\n").c_str(), stderr);
    return 2;
  }
}

}  // namespace npurt::tools
