// SPDX-License-Identifier: Apache-2.0
// The virtual file tree as a private temporary directory, and the translation of paths to it and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "emu/shim/device_model.hpp"

namespace npurt::emu::shim {

/// The directory holds a lock (flock) for as long as its process lives. A process that ends normally removes its
/// directory; one that was killed leaves it behind unlocked, and the next process that makes a tree removes it.
class tree {
 public:
  /// Makes the directory below $TMPDIR (or /tmp) and fills it.
  /// @throws std::system_error if a file cannot be made
  explicit tree(const virtual_tree& description);
  ~tree();
  tree(const tree&) = delete;
  tree& operator=(const tree&) = delete;

  /// Where the tree holds `path`; nothing if the path is not below one of its roots.
  std::optional<std::string> inside(std::string_view path) const;

  /// The path that a path in the tree's directory stands for; nothing if it is not there.
  std::optional<std::string> outside(std::string_view path) const;

  /// Forgets the directory without removing it; for a forked child, whose parent owns it.
  void abandon();

 private:
  void fill(const virtual_tree& description);

  std::vector<std::string> roots_;
  std::string directory_;
  int lock_ = -1;
};

}  // namespace npurt::emu::shim
