#include "engine/crash_notes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

namespace etl::crash_notes {

namespace {

constexpr const char* kFile = "etl_orchestrator.crash_notes";
constexpr uint64 kMagic = 0x45544c4e4f544531;
constexpr int kMostReports = 256;

struct Book {
  uint64 magic;
  uint64 inode;      // of the file itself: a copy of the data directory has another
  char boot_id[40];  // of the machine: after it went down nobody knows who was to blame
  int slot_count;
  bool has_postmaster;  // from its start to its end, unless it is killed
  Note reports[kMostReports];

  Note* notes() { return reinterpret_cast<Note*>(this + 1); }
};

Book* book = nullptr;
int own_place = -1;

size_t book_size(int slot_count) {
  return sizeof(Book) + sizeof(Note) * static_cast<size_t>(slot_count);
}

void read_boot_id(char (&boot_id)[40]) {
  memset(boot_id, 0, sizeof boot_id);
  const int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  if (read(file, boot_id, sizeof boot_id - 1) < 0) boot_id[0] = '\0';
  close(file);
}

// Gives the file its size, with room on the disk for all of it: writing to mapped memory that has none kills.
bool fits(int file, off_t size) {
  return ftruncate(file, size) == 0 && posix_fallocate(file, 0, size) == 0;
}

// Without a file (a full disk) the memory of the postmaster does: it outlives every crash but its own.
Book* map_book(size_t size, uint64* inode) {
  const int file = open(kFile, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  struct stat status {};
  void* memory = MAP_FAILED;
  if (file >= 0 && fits(file, static_cast<off_t>(size)) && fstat(file, &status) == 0)
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file >= 0) close(file);
  *inode = status.st_ino;
  if (memory == MAP_FAILED) memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<Book*>(memory);
}

// Where all places are taken, nobody has come for what is there: it is about databases that are gone.
void add_report(const Note& note) {
  Note* const end = std::end(book->reports);
  Note* place = std::find_if(book->reports, end, [](const Note& report) { return !OidIsValid(report.database); });
  if (place == end) {
    std::fill(book->reports, end, Note{});
    place = book->reports;
  }
  *place = note;
}

// Notes tell who died only if somebody survived to stop the others in order. If the postmaster was killed, all may have
// been.
void report_notes(bool can_be_trusted) {
  Note* notes = book->notes();
  for (int i = 0; i < book->slot_count; ++i) {
    if (OidIsValid(notes[i].database) && can_be_trusted) add_report(notes[i]);
    notes[i] = {};
  }
}

// In the postmaster only: its children forget it when they are forked.
void postmaster_ends(int, Datum) {
  book->has_postmaster = false;
}

// True if what the file holds was written by a server of this data directory since the machine was started.
bool open_book(int slot_count) {
  uint64 inode = 0;
  book = map_book(book_size(slot_count), &inode);
  if (book == nullptr) return false;
  char boot_id[40];
  read_boot_id(boot_id);
  if (book->magic == kMagic && book->inode == inode && strncmp(book->boot_id, boot_id, sizeof boot_id) == 0 &&
      book->slot_count == slot_count)
    return true;
  memset(static_cast<void*>(book), 0, book_size(slot_count));
  book->magic = kMagic;
  book->inode = inode;
  memcpy(book->boot_id, boot_id, sizeof boot_id);
  book->slot_count = slot_count;
  return false;
}

// As the server's own handler, which does nothing but leave.
void quit(int) {
  take_back(own_place);
  _exit(2);
}

}  // namespace

void start_up(int slot_count) {
  if (book != nullptr) return report_notes(true);  // this postmaster has survived
  const bool is_ours = open_book(slot_count);
  if (book == nullptr) return;
  report_notes(is_ours && !book->has_postmaster);
  book->has_postmaster = true;
  on_proc_exit(postmaster_ends, 0);
}

void note(int place, const Note& note) {
  if (book == nullptr) return;
  Note& own = book->notes()[place];
  own.run = note.run;
  own.step_id = note.step_id;
  own.attempt = note.attempt;
  own.database = note.database;  // last: from now on it counts
}

void take_back(int place) {
  if (book != nullptr && place >= 0) book->notes()[place].database = InvalidOid;
}

void mind_quit_signal(int place) {
  own_place = place;
  struct sigaction action {};
  action.sa_handler = quit;
  sigaction(SIGQUIT, &action, nullptr);
}

std::vector<Note> reports(const Locked&, Oid database) {
  std::vector<Note> found;
  if (book == nullptr) return found;
  for (const Note& report : book->reports)
    if (OidIsValid(report.database) && report.database == database) found.push_back(report);
  return found;
}

void forget(const Locked&, const Note& wanted) {
  for (Note& report : book->reports) {
    if (report.database != wanted.database || report.run.id != wanted.run.id || report.run.at != wanted.run.at ||
        report.step_id != wanted.step_id || report.attempt != wanted.attempt)
      continue;
    report = {};
  }
}

}  // namespace etl::crash_notes
