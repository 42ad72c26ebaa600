import CCurl
import HTTPText

/// The header of one request in the form that libcurl wants, in memory that the next request reuses.
///
/// All lines are one text, and that is one item of libcurl's list. libcurl passes on the verbatim text of an item, control
/// characters included (CURLOPT_HTTPHEADER), and it looks at the name at its begin: for an item of each line it searched the
/// list for eight names of its own, and printed each by itself, for 1,100 instructions a line. Further items forbid the fields
/// that libcurl would add. libcurl reads the list while the transfer runs and does not copy it: until the transfer has ended
/// it stays as it is.
package struct HeaderList: ~Copyable {
    /// Forbids libcurl's own `Host`, the text, forbids libcurl's own `Accept`, `Expect`.
    private static let itemCount = 4

    /// What most requests need.
    private static let usualCapacity = 512

    private var text: UnsafeMutablePointer<CChar>?
    private var capacity = 0
    private var end = 0
    /// libcurl's list; always the same memory.
    let items: UnsafeMutablePointer<curl_slist>

    package init() {
        items = .allocate(capacity: Self.itemCount)
        // A name without a value removes the field that libcurl would send.
        items[0] = curl_slist(data: Self.item("Host:"), next: items + 1)
        items[1] = curl_slist(data: Self.item(""), next: items + 2)
        items[2] = curl_slist(data: Self.item("Accept:"), next: nil)
        items[3] = curl_slist(data: nil, next: nil)
    }

    deinit {
        text?.deallocate()
        items.deallocate()
    }

    /// libcurl does not change the text of its list.
    private static func item(_ text: StaticString) -> UnsafeMutablePointer<CChar> {
        UnsafeMutablePointer(mutating: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    /// Begins the header of the next request.
    ///
    /// - Parameter host: The value of `Host`, the first field (RFC 9110, section 7.2); not empty, for libcurl drops an item
    ///   that begins with a field without a value.
    package mutating func begin(host: String) {
        end = 0
        append(own: "Host: ")
        append(host)
    }

    /// Adds a field, whatever is there of this name already.
    package mutating func add(_ name: String, _ value: String) {
        append(own: "\r\n")
        append(name)
        append(own: ": ")
        let valueStart = end
        append(value)
        endField(from: valueStart)
    }

    /// Adds a field of weir's own; the same, for fewer instructions.
    package mutating func add(own name: StaticString, _ value: String) {
        add(own: name) { $0.append(value) }
    }

    /// Adds a field of weir's own, whose value is appended in pieces.
    ///
    /// - Parameters:
    ///   - name: The field's.
    ///   - write: Appends the pieces, and does nothing else with the list.
    @inline(__always)
    package mutating func add(own name: StaticString, _ write: (inout HeaderList) -> Void) {
        append(own: "\r\n")
        append(own: name)
        append(own: ": ")
        let valueStart = end
        write(&self)
        endField(from: valueStart)
    }

    /// Appends to the value of the field that is being added, whose text is a `FieldText`.
    package mutating func append(_ piece: String) {
        end += FieldText.copy(piece, to: room(for: piece.utf8.count))
    }

    /// Appends ASCII text of weir's own to the value of the field that is being added.
    package mutating func append(own piece: StaticString) {
        append(UnsafeRawBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
    }

    /// Appends bytes of weir's own to the value of the field that is being added.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(start: room(for: bytes.count), count: bytes.count).copyMemory(from: bytes)
        end += bytes.count
    }

    /// A field without a value has no space after the colon.
    private mutating func endField(from valueStart: Int) {
        if end == valueStart { end -= 1 }
    }

    /// The lines so far, without their ends; costs a copy.
    package var lines: [String] {
        let bytes = UnsafeRawBufferPointer(start: text, count: end)
        return bytes.split(separator: UInt8(ascii: "\n")).map { line in
            FieldText.string(UnsafeRawBufferPointer(rebasing: line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
    }

    mutating func removeAll() { end = 0 }

    /// Frees the text: libcurl has sent it, and sends it no more.
    mutating func release() {
        text?.deallocate()
        (text, capacity, end, items[1].data) = (nil, 0, 0, Self.item(""))
    }

    /// Completes the header for libcurl; valid until it is changed.
    ///
    /// - Parameter body: Decides about `Expect`; `nil` for a request without a body.
    mutating func complete(for body: UpstreamRequest.Body?) {
        precondition(end > 0 && text?.pointee != CChar(UInt8(ascii: "\r")), "a header begins with its host")
        room(for: 1).pointee = 0
        items[1].data = text
        items[2].next = body == nil ? nil : items + 3
        // Of a body over 1 MiB libcurl would ask whether it is wanted.
        if let body { items[3].data = Self.item(body.asksFirst ? "Expect: 100-continue" : "Expect:") }
    }

    /// Room for that many bytes after the text.
    @inline(__always)
    private mutating func room(for bytes: Int) -> UnsafeMutablePointer<CChar> {
        if let text, end + bytes <= capacity { return text + end }
        return grow(by: bytes) + end
    }

    private mutating func grow(by bytes: Int) -> UnsafeMutablePointer<CChar> {
        let wider = max(2 * capacity, end + bytes, Self.usualCapacity)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: wider)
        if let text {
            memory.update(from: text, count: end)
            text.deallocate()
        }
        (text, capacity) = (memory, wider)
        return memory
    }
}
