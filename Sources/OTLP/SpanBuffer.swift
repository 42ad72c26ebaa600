import NIOConcurrencyHelpers

/// The traced requests of one event loop that wait for their export, with a bounded number of spans.
///
/// The loop appends to it and the exporter takes from it, each under a lock that neither holds for longer than an append or an
/// exchange of two references. So the loop never waits for the exporter or its receiver.
package final class SpanBuffer: Sendable {
    private struct Content {
        var requests: [EndedRequest] = []
        var spans = 0
        var dropped = 0
    }

    /// The standard of OpenTelemetry's batch processor.
    package static let standardCapacity = 2048

    private let capacity: Int
    private let content = NIOLockedValueBox(Content())

    /// - Parameter capacity: The most spans.
    package init(capacity: Int = standardCapacity) { self.capacity = capacity }

    /// Adds the spans of a request, or drops them if there is no room.
    package func append(_ request: EndedRequest) {
        content.withLockedValue { content in
            guard content.spans + request.spanCount <= capacity else {
                content.dropped += request.spanCount
                return
            }
            content.spans += request.spanCount
            content.requests.append(request)
        }
    }

    /// Takes everything.
    package func takeAll() -> [EndedRequest] {
        content.withLockedValue { content in
            var taken: [EndedRequest] = []
            swap(&taken, &content.requests)
            content.spans = 0
            return taken
        }
    }

    /// Spans that were dropped because the buffer was full, since the start.
    package var dropped: Int { content.withLockedValue { $0.dropped } }
}
