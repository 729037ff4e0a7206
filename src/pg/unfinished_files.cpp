#include "pg/unfinished_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "pg/files.h"
#include "pg/guard.h"

namespace etl::pg {

namespace {

constexpr const char* kPrefix = "etl_orchestrator.build.";

struct Note {
  int file;
  std::string path;
};

struct Held {
  std::optional<Note> own;
  std::vector<Note> left;  // by killed processes; locked while this transaction drops what they name
};

Held& held() {
  static auto* notes = new Held;  // never destroyed: the library is not unloaded
  return *notes;
}

std::string prefix() {
  return kPrefix + std::to_string(MyDatabaseId) + ".";
}

void remove(const Note& note) {
  unlink(note.path.c_str());
  close(note.file);
}

// What has been built is either committed now, or dropped by the server.
void transaction_ends(XactEvent event, void*) {
  if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT) return;
  Held& notes = held();
  if (notes.own) remove(*notes.own);
  for (const Note& note : notes.left) close(note.file);
  notes.own.reset();
  notes.left.clear();
}

void mind_end_of_transaction() {
  static bool minds = false;
  if (!minds) RegisterXactCallback(transaction_ends, nullptr);
  minds = true;
}

std::optional<Note> open_note(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return std::nullopt;
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return Note{file, path};
  close(file);
  return std::nullopt;
}

std::vector<std::string> notes_of_this_database() {
  std::vector<std::string> paths;
  for (const std::string& name : names_in("."))
    if (name.starts_with(prefix())) paths.push_back(name);
  return paths;
}

// False if there is none to drop.
bool drop_files_of(const Note& note) {
  std::array<char, 64 * 1024> text{};  // more than anybody builds at a time
  const ssize_t length = pread(note.file, text.data(), text.size() - 1, 0);
  const char* line = text.data();
  Oid tablespace, number;
  int used = 0;
  bool any = false;
  for (; length > 0 && sscanf(line, "%u %u\n%n", &tablespace, &number, &used) == 2; line += used)
    any = guard([&] {
      if (compat::is_file_of_relation(tablespace, number) || !compat::file_exists(tablespace, number)) return any;
      compat::drop_file_at_commit(tablespace, number);
      return true;
    });
  return any;
}

}  // namespace

void note_unfinished_file(Relation relation) {
  mind_end_of_transaction();
  Held& notes = held();
  if (!notes.own)
    notes.own = open_note(prefix() + std::to_string(MyProcPid) + "." + std::to_string(MyStartTimestamp),
                          O_RDWR | O_CREAT | O_APPEND);
  if (!notes.own) return;
  const auto [tablespace, number] = compat::file_of(relation);
  dprintf(notes.own->file, "%u %u\n", tablespace, number);
}

void drop_unfinished_files() {
  for (const std::string& path : notes_of_this_database()) {
    if (held().own && held().own->path == path) continue;
    const std::optional<Note> note = open_note(path, O_RDWR);
    if (!note) continue;  // its process is at work, or somebody else has come for it
    if (!drop_files_of(*note)) {
      remove(*note);
      continue;
    }
    mind_end_of_transaction();
    held().left.push_back(*note);  // removed by whoever finds nothing to drop: this transaction may yet fail
  }
}

}  // namespace etl::pg
