// The files that a job of a location means, for whoever loads them: its worker, with the rights of the job's owner.
#pragma once

#include "engine/file_load.h"
#include "engine/file_store.h"
#include "engine/locations.h"

namespace etl {

class JobFiles {
 public:
  // `file`: a path beneath the location, or a pattern. Failure where the reader options are wrong.
  JobFiles(const std::string& location, const std::string& file, const std::string& reader_options);

  // Those that are there and that the location's rules accept, in the order of their paths. Failure if the current user
  // may not use the location, or a file that is named by its path cannot be read. Needs a transaction. To be called
  // before all that follows.
  std::vector<file_store::Version> find();

  // Whether find() looks for a pattern; and what is to be said if it finds nothing.
  bool are_many() const;
  const std::string& nothing_found() const { return nothing_found_; }

  locations::File open(const std::string& path) const;
  FileInput input(const locations::File& file) const;

  // SHA-256 of what is in a file. Can be cancelled; needs a transaction. Failure where it cannot be read.
  std::string hash(const locations::File& file) const;

  // Failure (object_in_use) if a file is not what it was when it was opened.
  void require_same(const locations::File& file) const;

  // Whether a version is certainly not at its path any more: by size and time, or else by its content.
  bool is_gone(const file_store::Version& version) const;

 private:
  template <typename F>
  auto readable(const std::string& path, F&& body) const;

  const std::string name_;
  const std::string file_;
  const JobReader reader_;
  Location location_;
  std::string nothing_found_;
};

}  // namespace etl
