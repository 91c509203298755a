// SPDX-License-Identifier: Apache-2.0
// Starts tools with posix_spawn; their output goes to a file that an error quotes.
#include "config/subprocess.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "config/description.hpp"

namespace npurt::config {

namespace {

constexpr const char* log_name = "tool-output.txt";

/// posix_spawn's file actions, destroyed with the object.
class file_actions {
 public:
  explicit file_actions(const std::filesystem::path& folder) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log_name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~file_actions() { posix_spawn_file_actions_destroy(&actions_); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      throw config_error(std::string("waitpid: ") + std::strerror(errno));
    }
  }
  return status;
}

}  // namespace

temporary_folder::temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "npurt-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw config_error("cannot make a temporary folder " + name + ": " + std::strerror(errno));
  }
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void temporary_folder::write(const std::string& name, std::span<const std::byte> bytes) const {
  std::ofstream out(path_ / name, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) {
    throw config_error("cannot write " + (path_ / name).string());
  }
}

void temporary_folder::write(const std::string& name, std::string_view text) const {
  write(name, std::as_bytes(std::span(text)));
}

std::vector<std::byte> temporary_folder::read(const std::string& name) const {
  std::ifstream in(path_ / name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    throw config_error("cannot read " + (path_ / name).string());
  }
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void temporary_folder::run(const std::vector<std::string>& command) const {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // exec takes char* and does not write
  }
  arguments.push_back(nullptr);
  const file_actions actions(path_);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], actions.get(), nullptr, arguments.data(), environ);
  if (error != 0) {
    throw config_error("cannot start " + command[0] + ": " + std::strerror(error));
  }
  const int status = wait_for(child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::vector<std::byte> log = read(log_name);
    const std::string result = WIFEXITED(status) ? "failed with exit code " + std::to_string(WEXITSTATUS(status))
                                                 : "was ended by signal " + std::to_string(WTERMSIG(status));
    throw config_error(command[0] + " " + result + ":\n" +
                       std::string(reinterpret_cast<const char*>(log.data()), log.size()));
  }
}

}  // namespace npurt::config
