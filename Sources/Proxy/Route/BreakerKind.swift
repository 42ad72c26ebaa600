/// Whose breaker it is; the raw value is the word in logs, metrics and JSON.
package enum BreakerKind: String, Decodable, Sendable { case client, upstream }
