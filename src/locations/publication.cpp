#include "locations/fence.h"

#include "locations/publication.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace etl::locations {
namespace {

// Names in the hidden folder.
constexpr const char* kNew = "new";
constexpr const char* kOld = "old";

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// The name of what is to be published.
std::string named(const std::string& path) {
  std::string name = name_in(path);
  if (name.empty()) throw FileError(FileError::Kind::kBroken, "is no name");
  if (name.size() > HiddenFolder::kLongestName) throw FileError(FileError::Kind::kBroken, "has too long a name");
  return name;
}

void sync(int descriptor) {
  if (fsync(descriptor) != 0) fail("cannot be written to disk");
}

int rename_with(int from_directory, const char* from, int directory, const std::string& to, unsigned int flags) {
  return static_cast<int>(syscall(SYS_renameat2, from_directory, from, directory, to.c_str(), flags));
}

// The file system cannot do what was asked for.
bool is_unsupported(int number) {
  return number == EINVAL || number == ENOSYS;
}

// A directory that is there afterwards; one that is new is for everybody to read, whatever the umask.
void make_directory(int parent, const std::string& name) {
  if (mkdirat(parent, name.c_str(), kDirectoryMode) != 0) {
    if (errno == EEXIST) return;
    fail("cannot be created");
  }
  const Descriptor made(openat(parent, name.c_str(), kFolderFlags));
  if (!made.is_open() || fchmod(made.get(), kDirectoryMode) != 0) fail("cannot be created");
  sync(parent);
}

// A file or the like has the name of a directory. (Links are looked at elsewhere.)
void require_no_file(const Directory& parent, const std::string& name, const std::string& path) {
  struct stat facts;
  if (fstatat(parent.descriptor(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!S_ISDIR(facts.st_mode) && !S_ISLNK(facts.st_mode))
    throw FileError(FileError::Kind::kNotRegular, "cannot be created: \"" + path + "\" is no directory");
}

// The directory of a path, made as far as it is not there.
Directory directory_for(const Directory& root, const std::string& path) {
  Directory directory = root.open_directory("");
  const std::string parent = parent_of(path);
  for (size_t begin = 0; begin < parent.size();) {
    const size_t end = std::min(parent.find('/', begin), parent.size());
    try {
      directory = root.open_directory(parent.substr(0, end));
    } catch (const FileError& error) {
      if (error.kind() != FileError::Kind::kMissing) throw;
      require_no_file(directory, parent.substr(begin, end - begin), parent.substr(0, end));
      make_directory(directory.descriptor(), parent.substr(begin, end - begin));
      directory = root.open_directory(parent.substr(0, end));
    }
    begin = end + 1;
  }
  return directory;
}

}  // namespace

Publication::Publication(const Directory& root, const std::string& path, Kind kind, Renaming renaming)
    : path_(normalized(path)),
      name_(named(path_)),
      kind_(kind),
      renaming_(renaming),
      parent_(directory_for(root, path_)),
      hidden_(parent_.descriptor(), name_) {
  const int folder = hidden_.descriptor();
  if (kind_ == Kind::kFolder) {
    if (mkdirat(folder, kNew, S_IRWXU) != 0) fail("cannot be created");
    staged_ = Descriptor(openat(folder, kNew, kFolderFlags));
  } else {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    staged_ = Descriptor(openat(folder, kNew, flags, S_IRUSR | S_IWUSR));
  }
  if (!staged_.is_open()) fail("cannot be created");
}

Publication::~Publication() {
  give_up();
}

Publication::Publication(Publication&& other) noexcept
    : path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      kind_(other.kind_),
      renaming_(other.renaming_),
      parent_(std::move(other.parent_)),
      hidden_(std::move(other.hidden_)),
      staged_(std::move(other.staged_)),
      directories_(std::move(other.directories_)),
      state_(std::exchange(other.state_, State::kKept)),
      replaced_(other.replaced_) {}

Descriptor Publication::new_file(const std::string& path) {
  Descriptor directory(openat(staged_.get(), ".", kFolderFlags));
  const std::string relative = normalized(path);
  for (size_t begin = 0, end; (end = relative.find('/', begin)) != std::string::npos; begin = end + 1) {
    const std::string name = relative.substr(begin, end - begin);
    make_directory(directory.get(), name);
    directories_.insert(relative.substr(0, end));
    directory = Descriptor(openat(directory.get(), name.c_str(), kFolderFlags));
    if (!directory.is_open()) fail("cannot be created");
  }
  const std::string name = name_in(relative);
  Descriptor file(openat(directory.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file.is_open()) fail("cannot be created");
  return file;
}

FileFacts Publication::seal(const Descriptor& file) {
  struct stat facts;
  if (fchmod(file.get(), kFileMode) != 0) fail("cannot be written");
  sync(file.get());
  if (fstat(file.get(), &facts) != 0) fail("cannot be written");
  return facts_of(facts);
}

FileFacts Publication::seal() {
  if (kind_ == Kind::kFile) return seal(staged_);
  for (const std::string& path : directories_) {
    const Descriptor directory(openat(staged_.get(), path.c_str(), kFolderFlags));
    if (!directory.is_open()) fail("cannot be opened");
    sync(directory.get());
  }
  if (fchmod(staged_.get(), kDirectoryMode) != 0) fail("cannot be written");
  sync(staged_.get());
  return {};
}

// False: something has the name.
bool Publication::take_free_name() {
  const int folder = hidden_.descriptor();
  const int parent = parent_.descriptor();
  errno = EINVAL;
  if (renaming_ == Renaming::kPlain || rename_with(folder, kNew, parent, name_, RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return false;
    if (!is_unsupported(errno)) fail("cannot be renamed");
    struct stat facts;  // the file system cannot do both at once
    if (fstatat(parent, name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return false;
    if (renameat(folder, kNew, parent, name_.c_str()) != 0) fail("cannot be renamed");
  }
  state_ = State::kPublished;
  return true;
}

// False: nothing has the name any more.
bool Publication::exchange() {
  errno = EINVAL;
  if (renaming_ == Renaming::kKernel &&
      rename_with(hidden_.descriptor(), kNew, parent_.descriptor(), name_, RENAME_EXCHANGE) == 0) {
    state_ = State::kReplaced;
    replaced_ = kNew;
    return true;
  }
  if (errno == ENOENT) return false;
  if (!is_unsupported(errno)) fail("cannot be renamed");
  return replace_plainly();
}

// On a file system that cannot exchange two names. A file has its name all the time, since it gets a second one before;
// of a folder, for a moment nothing has the name.
bool Publication::replace_plainly() {
  const int folder = hidden_.descriptor();
  const int parent = parent_.descriptor();
  const bool has_second = linkat(parent, name_.c_str(), folder, kOld, 0) == 0;
  const bool replaced = has_second && renameat(folder, kNew, parent, name_.c_str()) == 0;
  if (has_second && !replaced) unlinkat(folder, kOld, 0);
  if (!replaced && renameat(parent, name_.c_str(), folder, kOld) != 0) {
    if (errno == ENOENT) return false;
    fail("cannot be replaced");
  }
  state_ = State::kReplaced;
  replaced_ = kOld;
  if (!replaced && renameat(folder, kNew, parent, name_.c_str()) != 0) fail("cannot be renamed");
  return true;
}

void Publication::publish(bool may_replace) {
  while (!take_free_name()) {
    if (!may_replace) throw FileError(FileError::Kind::kExists, "exists already");
    if (exchange()) break;
  }
  sync(parent_.descriptor());
}

void Publication::keep() {
  state_ = State::kKept;
  hidden_.remove();
}

// Where somebody has given the name to something else meanwhile, that stays.
void Publication::give_up() {
  const int folder = hidden_.descriptor();
  const int parent = parent_.descriptor();
  if (state_ == State::kPublished && has_the_name()) renameat(parent, name_.c_str(), folder, kNew);
  if (state_ == State::kReplaced) put_back();
  if (state_ == State::kPublished || state_ == State::kReplaced) fsync(parent);
  state_ = State::kKept;
}

void Publication::put_back() const {
  const int folder = hidden_.descriptor();
  const int parent = parent_.descriptor();
  if (has_the_name()) {
    if (renaming_ == Renaming::kKernel && rename_with(folder, replaced_, parent, name_, RENAME_EXCHANGE) == 0) return;
    if (renameat(folder, replaced_, parent, name_.c_str()) == 0) return;
    renameat(parent, name_.c_str(), folder, kNew);
  }
  struct stat facts;
  if (fstatat(parent, name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
    renameat(folder, replaced_, parent, name_.c_str());
}

bool Publication::has_the_name() const {
  struct stat ours;
  struct stat named;
  return fstat(staged_.get(), &ours) == 0 &&
         fstatat(parent_.descriptor(), name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

bool is_there(const Directory& root, const std::string& path) {
  const std::string relative = normalized(path);
  try {
    struct stat facts;
    const Directory parent = root.open_directory(parent_of(relative));
    return fstatat(parent.descriptor(), name_in(relative).c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
  } catch (const FileError& error) {
    if (error.kind() == FileError::Kind::kMissing) return false;
    throw;
  }
}

std::string first_foreign(const Directory& root, const std::string& path, const Written& written,
                          const std::function<void()>& tick) {
  const auto is_as_written = [&](const std::string& file, const FileFacts& facts) {
    const auto found = written.find(file);
    return found != written.end() && found->second == facts;
  };
  const std::string relative = normalized(path);
  try {
    const Directory parent = root.open_directory(parent_of(relative));
    struct stat facts;
    if (fstatat(parent.descriptor(), name_in(relative).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return "";
      fail("cannot be examined");
    }
    if (S_ISREG(facts.st_mode) && is_as_written(relative, facts_of(facts))) return "";
    if (!S_ISDIR(facts.st_mode)) return relative;
    const Listing listing{std::numeric_limits<size_t>::max(), {}, tick};
    for (const Entry& entry : root.open_directory(relative).list(listing)) {
      const std::string file = relative + "/" + entry.path;
      if (!entry.problem.empty() || !is_as_written(file, entry.facts)) return file;
    }
    return "";
  } catch (const FileError& error) {
    if (error.kind() == FileError::Kind::kMissing) return "";
    throw;
  }
}

Removal remove_if_unchanged(const Directory& root, const std::string& path, FileFacts facts) {
  try {
    if (root.open_file(path).facts() != facts) return Removal::kChanged;
    const std::string relative = normalized(path);
    const Directory parent = root.open_directory(parent_of(relative));
    if (unlinkat(parent.descriptor(), name_in(relative).c_str(), 0) == 0) return Removal::kRemoved;
    if (errno != ENOENT) fail("cannot be removed");
    return Removal::kMissing;
  } catch (const FileError& error) {
    if (error.kind() == FileError::Kind::kMissing) return Removal::kMissing;
    if (error.kind() == FileError::Kind::kNotRegular) return Removal::kChanged;
    throw;
  }
}

namespace {

bool remove_empty(int parent, const std::string& name) {
  const Descriptor folder(openat(parent, name.c_str(), kFolderFlags));
  if (!folder.is_open()) return false;
  bool is_empty = true;
  for (const std::string& inner : names_in(folder.get())) is_empty = remove_empty(folder.get(), inner) && is_empty;
  return is_empty && unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace

void remove_empty_directories(const Directory& root, const std::string& path) {
  try {
    const std::string relative = normalized(path);
    remove_empty(root.open_directory(parent_of(relative)).descriptor(), name_in(relative));
  } catch (const FileError&) {
    return;  // gone already
  }
}

}  // namespace etl::locations
