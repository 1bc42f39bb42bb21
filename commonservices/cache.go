package commonservices

import (
	"sync"
	"time"
)

// cache keeps verified successes of a client by their query.
type cache struct {
	mu    sync.Mutex
	kept  map[string]*keptAnswer
	bytes int
}

// keptAnswer is never changed once it is kept.
type keptAnswer struct {
	at   time.Time // when the directory gave or confirmed it
	said *Decoded
	body []byte // as signed
	etag string
}

const maxCacheBytes = 64 << 20

func (c *cache) get(key string) *keptAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[key]
}

// put keeps an answer; the oldest ones make room.
func (c *cache) put(key string, a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(a.body) > maxCacheBytes/4 {
		return
	}
	if c.kept == nil {
		c.kept = map[string]*keptAnswer{}
	}
	if old := c.kept[key]; old != nil {
		c.bytes -= len(old.body)
	}
	c.kept[key] = a
	c.bytes += len(a.body)
	for c.bytes > maxCacheBytes {
		oldest := ""
		for k, v := range c.kept {
			if oldest == "" || v.at.Before(c.kept[oldest].at) {
				oldest = k
			}
		}
		c.bytes -= len(c.kept[oldest].body)
		delete(c.kept, oldest)
	}
}
