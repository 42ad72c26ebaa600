/// Whether a breaker is a client's or an upstream's; the raw value is the word in logs, metrics and JSON.
package enum BreakerKind: String, Decodable, Sendable { case client, upstream }
