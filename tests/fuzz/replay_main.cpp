// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of its kept corpus: fuzz_replay_NAME FOLDER. A finding ends the process.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_replay_NAME FOLDER\n", stderr);
    return EXIT_FAILURE;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
    // Without a buffer, so that the last line names the file that ended the process.
    std::fprintf(stderr, "%s\n", path.filename().c_str());
    // A copy of the exact size, so that a sanitizer sees a read beyond it.
    std::vector<std::uint8_t> bytes(content.begin(), content.end());
    bytes.shrink_to_fit();
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::fprintf(stderr, "%zu inputs\n", files.size());
  return files.empty() ? EXIT_FAILURE : EXIT_SUCCESS;
}
