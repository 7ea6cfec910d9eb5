// What a connection needs from its node and from whoever owns it.
#pragma once

#include "base/random.h"
#include "base/time.h"
#include "crypto/node_key.h"
#include "daemon/net/tls.h"
#include "daemon/verify_pool.h"
#include "daemon/writer.h"
#include "replication/directory.h"

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace chapterd {

class Link;

// Must outlive every connection. `loop` is run by one thread, and must outlive the writer and the
// pool too, which post to it. "Of the loop": used by that thread only.
struct LinkContext {
  boost::asio::io_context& loop;
  Directory& directory;  // of the loop; Peers refreshes it
  Reader& reader;        // of the loop
  Writer& writer;
  VerifyPool& pool;
  const TlsContext& tls;
  const SigningKey& key;
  const Clock& clock;  // an even one: for deadlines and back-off
  const Clock& date;   // the system's: invites expire by it
  Random& random;      // of the loop
  // The chapter's authority key while it is unlocked, to answer invites with; else null. Called on
  // the loop.
  std::function<std::shared_ptr<const SigningKey>()> authority;
  // A session met bytes in the database that are not what was written; its link ends. Called on the
  // loop; may be empty.
  std::function<void(const Error& error)> damaged = {};
};

// Who is told what becomes of a link. On the loop, and sometimes from inside the link's own
// methods.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // Bytes went out or came in, before anything is known of what they mean.
  virtual void link_moved(std::size_t bytes) = 0;
  // A session begins with a node that is certified, or that was called from here: no stranger.
  virtual void link_opened(Link& link) = 0;
  // Whatever went on is over; the connection still says goodbye.
  virtual void link_closing(Link& link) = 0;
  // Nothing runs for this link any more. Called once, never from inside the link's methods.
  virtual void link_ended(Link& link) = 0;
};

}  // namespace chapterd
