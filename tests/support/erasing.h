// Erasing as tests do it, and looking for what must be gone in every form in which bytes lie about.
#pragma once

#include "tests/support/node.h"

#include <string>
#include <vector>

namespace chapterd::testing {

// Orders the erasure of every entry of this record that writes this field; only of those whose
// payload holds `text`, when it is given. With the chapter's authority.
void erase_texts(TestNode& node,
                 const Address& address,
                 const std::string& record,
                 const std::string& field,
                 const std::string& text = {});

// Orders the erasure of about half of the entries that this node holds of the record.
void erase_some(TestNode& node,
                const Address& address,
                const std::string& record,
                SeededRandom& random);

[[nodiscard]] Head place_of(TestNode& node, const Written& written);
// Of a feed as this node holds it; sequence 0 when it does not.
[[nodiscard]] Head head_held(TestNode& node, const FeedId& feed);

// Hands over one feed as it is held, as a courier would: nothing else goes along.
void send_feed(TestNode& from, TestNode& to, const FeedId& feed);

// The same, without the payload of one entry and without a word about it.
void send_feed_without(TestNode& from, TestNode& to, const FeedId& feed, Sequence withheld);

// Signs, with the key of `author`, an order behind the head of its feed that no honest program
// would write, and hands it to `to`, which holds that head.
void send_forced_order(TestNode& author, TestNode& to, const FeedId& feed, const EraseOrder& order);
// The same with any entry.
void send_forced(
    TestNode& author, TestNode& to, const FeedId& feed, EntryKind kind, const Bytes& payload);

// Whether this text stands in any file below the folder: as it is, in hexadecimal, in Base64 at any
// offset, or in UTF-16 of either order.
[[nodiscard]] bool holds_text(const std::string& folder, const std::string& text);
[[nodiscard]] bool holds_text(TestNode& node, const std::string& text);

}  // namespace chapterd::testing
