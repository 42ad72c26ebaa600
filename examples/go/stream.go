// Writes each record of a stream to standard output: go run stream.go URL. The exit status is 0 only if all arrived.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

var stream, received, retries = "", 0, 0

// follow reads from one connection. It returns io.EOF if the response was complete, another error if it was truncated.
func follow(address string) error {
	request, err := http.NewRequest("GET", address, nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("X-Stream-Rate-Limit", "50/second")
	if stream != "" {
		request.Header.Set("X-Stream-Resume", fmt.Sprintf("%s; after=%d", stream, received))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == 429 || response.StatusCode == 503 {
		wait, _ := time.ParseDuration(response.Header.Get("Retry-After") + "s")
		time.Sleep(wait) // an earlier attempt would be rejected as well
		return fmt.Errorf("%s, waited %s", response.Status, wait)
	} else if response.StatusCode != 200 {
		log.Fatalf("stream: %s, truncated after %d records", response.Status, received)
	}
	stream = response.Header.Get("X-Stream-Id")
	for body, line := bufio.NewReader(response.Body), ""; err == nil; {
		if line, err = body.ReadString('\n'); strings.TrimSpace(line) != "" && (err == nil || err == io.EOF) {
			fmt.Print(line)                                                       // neither a heartbeat nor the part of a line before an error
			if received, retries = received+1, 0; received == 1 && stream != "" { // weir then sends one record in this time
				feedback, _ := request.URL.Parse("/v1/streams/" + stream + "/feedback")
				http.Post(feedback.String(), "application/json", strings.NewReader(`{"processingDelay":"5ms"}`))
			}
		}
	}
	return err
}

func main() {
	for err := error(nil); err != io.EOF; retries++ {
		if err = follow(os.Args[1]); err != io.EOF && (retries > 10 || received > 0 && stream == "") {
			log.Fatalf("stream: %v, truncated after %d records", err, received)
		}
		log.Printf("stream: %v after %d records", err, received) // EOF: it is complete
	}
}
