// Connections between machines: bytes in order until the connection breaks, late, slow, or into
// nowhere. As TCP, it never loses a part of the stream without breaking.
#pragma once

#include "base/bytes.h"
#include "tests/sim/agenda.h"
#include "tests/support/seeded.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace chapterd::sim {

using ConnectionId = std::uint64_t;

// What a machine's operating system tells the program that holds an end of a connection.
class Socket {
 public:
  virtual ~Socket() = default;
  virtual void arrived(Bytes&& bytes) = 0;
  virtual void can_write() = 0;
  virtual void broken() = 0;
};

// How the way between two machines is.
struct Route {
  std::int64_t delay_ms = 20;
  std::int64_t bits_per_second = 0;  // 0: so fast that it does not matter
  bool is_down = false;              // what is sent waits, as TCP sends it again and again
};

class Network {
 public:
  Network(Agenda& agenda, std::uint64_t seed) : agenda_(agenda), random_(seed) {}

  // Both ends are known from now on. Sockets are asked for by their owners' keys at each delivery.
  ConnectionId connect(int from, int to, Socket* dialler, Socket* listener);
  // Sends from the end of `machine`. Never more than `window` bytes may be under way.
  void send(ConnectionId id, int machine, Bytes&& bytes);
  [[nodiscard]] bool may_send(ConnectionId id, int machine) const;

  // The program let go of its end: the other end hears of it once everything sent has arrived.
  void close(ConnectionId id, int machine);
  // The machine is gone without a word: the other end does not hear of it.
  void vanish(ConnectionId id, int machine);
  // Both ends are told at once, whatever was under way is lost but for a part of it.
  void cut(ConnectionId id);
  // Every connection of a machine.
  void cut_all_of(int machine);
  // Whatever is sent from now on vanishes, and nobody is told.
  void make_half_open(int machine);

  Route& route(int a, int b) { return routes_[std::minmax(a, b)]; }

  [[nodiscard]] bool is_up(int a, int b) { return !route(a, b).is_down; }

  // Everything works from now on.
  void heal();

  // Sees every part of a stream that arrives: (from, to, connection, bytes).
  std::function<void(int, int, ConnectionId, ByteView)> watcher;

  [[nodiscard]] std::uint64_t messages() const { return messages_; }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  [[nodiscard]] std::vector<ConnectionId> open_connections() const;

 private:
  static constexpr std::size_t window = 128 * 1024;

  struct End {
    int machine = 0;
    Socket* socket = nullptr;     // null once the program let go
    std::deque<Bytes> under_way;  // on their way from here, in order
    std::size_t under_way_bytes = 0;
    Instant free_at;     // when the line has sent what was given to it
    Instant arrives_at;  // the last part: parts never overtake each other
  };

  struct Connection {
    End ends[2];
    bool is_cut = false;
    bool swallows = false;
  };

  Connection* find(ConnectionId id);
  void deliver_next(ConnectionId id, int to);
  void hang_up(ConnectionId id, int to);
  void forget_when_unused(ConnectionId id);

  Agenda& agenda_;
  testing::SeededRandom random_;
  std::map<ConnectionId, Connection> connections_;
  std::map<std::pair<int, int>, Route> routes_;
  ConnectionId next_ = 1;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace chapterd::sim
