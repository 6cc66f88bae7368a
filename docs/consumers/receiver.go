// Receives webhooks with Go's standard library. Run it with: go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var secret = strings.TrimPrefix(os.Getenv("EXAMHOOK_SECRET"), "whsec_")
var seen sync.Map // keep these ids in your database

func verified(headers http.Header, body []byte) bool {
	id, at := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age.Abs() > 5*time.Minute {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(secret)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Fields(headers.Get("webhook-signature")) {
		if err == nil && hmac.Equal([]byte(signature), []byte(expected)) {
			return true
		}
	}
	return false
}

func receive(response http.ResponseWriter, request *http.Request) {
	var event struct{ ID, Type string }
	body, err := io.ReadAll(request.Body)
	if err != nil || !verified(request.Header, body) || json.Unmarshal(body, &event) != nil {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	id := request.Header.Get("webhook-id")
	if _, known := seen.Load(id); !known {
		fmt.Println(event.Type, event.ID) // your work, in less than 15 seconds
		seen.Store(id, true)
	}
	response.WriteHeader(http.StatusNoContent)
}

func main() {
	if secret == "" {
		panic("EXAMHOOK_SECRET is not set")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8200"
	}
	http.HandleFunc("/", receive)
	panic(http.ListenAndServe("127.0.0.1:"+port, nil))
}
