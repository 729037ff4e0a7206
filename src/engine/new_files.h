// An attempt that loads each file that its table does not hold yet, in a transaction of its own.
//
// Files that were only moved are followed first, all of them in one transaction: a file may have taken the name of
// another, and that is not replaced, but elsewhere.
#pragma once

#include "engine/file_attempt.h"

namespace etl {

class NewFiles : FileAttempt {
 public:
  using FileAttempt::FileAttempt;

  // As run_file_job(). A file that fails is written down; the others are loaded, then the attempt fails.
  void run();

 private:
  struct NewFile {
    Version version;
    bool may_have_moved;
    std::optional<Known> asked_for;  // that it was under another path, and that somebody wants loaded once more
  };
  struct Followed {
    std::vector<file_store::Move> moves;
    std::vector<Known> at_new_paths;
  };

  void find();
  void follow_moves();
  Followed find_moves();
  bool has_moved(NewFile* file, locations::MovedVersions* moved, Followed* followed);
  void apply(const Followed& followed);
  void load(const NewFile& file);
  int64_t load_if_new(const NewFile& file);
  int64_t load_version(const locations::File& file, const Version& now, const std::vector<Known>& earlier,
                       const std::string& why);
  void forget(const std::vector<Known>& versions) const;
  void remember(const Version& file, const FileProblem& problem);
  void sum_up();

  std::vector<NewFile> new_files_;
  std::vector<FailedFile> failed_;
  std::string nothing_new_;
  int64_t rows_before_ = 0;  // of the files that are done
  size_t renamed_ = 0;
  size_t touched_ = 0;
  std::string note_;
};

}  // namespace etl
