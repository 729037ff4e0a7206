// A transaction of a background process of ours.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// Begins a transaction with an active snapshot and, unless commit() is reached, aborts it at the end of its life.
class Transaction {
 public:
  Transaction();
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  bool open_ = true;
};

// A transaction block, as BEGIN opens it: what runs inside finds itself in a block, and cannot commit it. Nothing in
// it has taken a snapshot before the first statement. Aborted at the end of its life, unless commit() is reached.
class Block {
 public:
  Block();
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Runs calls of the server as one statement of the block, with an active snapshot or (look) without.
  template <typename F>
  void statement(F&& body) {
    enter(true);
    body();
    leave(true);
  }
  template <typename F>
  void look(F&& body) {
    enter(false);
    body();
    leave(false);
  }

  void commit();

 private:
  static void enter(bool with_snapshot);
  static void leave(bool with_snapshot);

  bool open_ = true;
};

// A subtransaction of the open transaction: rolled back at the end of its life, unless release() is reached. An error
// raised inside may be caught outside of it, and the transaction goes on.
class Subtransaction {
 public:
  Subtransaction();
  ~Subtransaction();
  Subtransaction(const Subtransaction&) = delete;
  Subtransaction& operator=(const Subtransaction&) = delete;

  void release();

 private:
  void restore() const;

  int level_ = 0;  // of nesting; what was opened inside and left open is closed together with it
  MemoryContext context_;
  ResourceOwner owner_;
  bool open_ = true;
};

// Runs `body` in a subtransaction of the open transaction. False if it raised an error, of which nothing is left; a
// cancel passes on.
bool in_subtransaction(const std::function<void()>& body);

// Ends whatever transaction is open, with every block and subtransaction in it. Cannot raise.
void abort_everything();

}  // namespace etl::pg
