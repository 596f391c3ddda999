package jetstream

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/go-itsm/itsm"
)

// A stream is the log that a store keeps its revisions in, and how to ask for
// them: everything that depends on NATS and not on the record's type.
type stream struct {
	Options
	nc   *nats.Conn
	js   natsjs.JetStream
	name string
	id   string // made with the stream, so that its cursors can be told apart
}

const (
	recordSubject = ".r."
	eventSubject  = ".e."

	metaID     = "itsm.id"
	metaForm   = "itsm.form"
	metaUnique = "itsm.unique_event_ids"

	// patience is that of a store whose Options name none: elections take some
	// seconds.
	patience = 10 * time.Second
	// attempt is how long one question waits for its answer, and tick how often
	// it looks whether the connection that this would come on is still there.
	attempt = 2 * time.Second
	tick    = 20 * time.Millisecond
	// maxToken is the longest a part of a subject may be. Servers read subjects
	// of up to 4 KB.
	maxToken = 1024
)

var streamName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)

// openStream makes the stream if it is not there, and checks it if it is.
func openStream(ctx context.Context, nc *nats.Conn, o Options) (*stream, error) {
	if err := o.check(nc); err != nil {
		return nil, err
	}
	js, err := natsjs.New(nc)
	if err != nil {
		return nil, err
	}
	s := &stream{Options: o, nc: nc, js: js, name: o.name()}
	err = s.patiently(ctx, "open", func(ctx context.Context) error {
		info, err := s.info(ctx)
		if errors.Is(err, natsjs.ErrStreamNotFound) {
			// Two that make it at the same time do not make the same: one of
			// them is too late, and reads what the other has made.
			_, err = js.CreateStream(ctx, s.config())
			if err == nil || errors.Is(err, natsjs.ErrStreamNameAlreadyInUse) {
				info, err = s.info(ctx)
			}
		}
		if err != nil {
			return err
		}
		s.id = info.Config.Metadata[metaID]
		return s.fits(info.Config)
	})
	if err != nil {
		return nil, fmt.Errorf("jetstream: stream %s: %w", s.name, err)
	}
	return s, nil
}

func (o *Options) check(nc *nats.Conn) error {
	var v itsm.Validation
	v.Check(nc != nil, "connection", "must not be nil")
	v.Check(streamName.MatchString(o.Stream), "stream", "must be 1 to 100 letters, digits and -")
	v.Check(len(tenantToken(o.Tenant)) <= 100, "tenant", "must have at most 100 bytes, with three for each that is no lower-case letter, digit or -")
	v.Check(o.Replicas >= 0 && o.Replicas <= 5, "replicas", "must be 1 to 5")
	return v.Err()
}

// name is that of the stream. No two pairs of options have the same: a stream
// of the options has no underscore.
func (o *Options) name() string {
	if o.Tenant == "" {
		return o.Stream
	}
	return o.Stream + "_" + tenantToken(o.Tenant)
}

// tenantToken tells tenants apart on file systems that do not mind the case, too.
func tenantToken(tenant string) string {
	return escape(tenant, func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' })
}

// escape writes every byte that is not plain as = and two digits. No two texts
// become the same.
func escape(text string, plain func(c byte) bool) string {
	const hexadecimal = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'=', hexadecimal[c>>4], hexadecimal[c&15]})
		}
	}
	return b.String()
}

func plainInID(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// subject is where the messages about an id are, and whether there is room for
// it in a subject.
func (s *stream) subject(kind string, id itsm.ID) (string, bool) {
	token := escape(string(id), plainInID)
	return s.name + kind + token, token != "" && len(token) <= maxToken
}

// config is that of a new stream: nothing is ever removed from it.
func (s *stream) config() natsjs.StreamConfig {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return natsjs.StreamConfig{
		Name:        s.name,
		Description: "records and their history, one revision a message",
		Subjects:    []string{s.name + recordSubject + "*", s.name + eventSubject + "*"},
		Retention:   natsjs.LimitsPolicy,
		Storage:     natsjs.FileStorage,
		Replicas:    max(s.Replicas, 1),
		Discard:     natsjs.DiscardNew,
		DenyDelete:  true,
		DenyPurge:   true,
		// What is in the stream is the same on every node, and any may be asked
		// for what is known to be there.
		AllowDirect:        true,
		AllowAtomicPublish: true,
		Metadata: map[string]string{
			metaID: hex.EncodeToString(id[:]), metaForm: "1", metaUnique: fmt.Sprint(s.UniqueEventIDs),
		},
	}
}

// fits returns an [itsm.ErrInvalid] with everything in which a stream that was
// there already is not what the store needs.
func (s *stream) fits(is natsjs.StreamConfig) error {
	must := s.config()
	var v itsm.Validation
	v.Check(is.Metadata[metaID] != "", "metadata."+metaID, "is missing: the stream was not made for records")
	for _, key := range []string{metaForm, metaUnique} {
		v.Check(is.Metadata[key] == must.Metadata[key], "metadata."+key, fmt.Sprintf("is %q, not %q", is.Metadata[key], must.Metadata[key]))
	}
	for _, subject := range must.Subjects {
		v.Check(slices.Contains(is.Subjects, subject), "subjects", "must have "+subject)
	}
	v.Check(is.Storage == must.Storage, "storage", "must be file: what is in memory is lost with the servers")
	v.Check(is.Retention == must.Retention, "retention", "must be limits")
	v.Check(is.MaxAge == 0, "max_age", "must not be limited: histories would lose their beginning")
	v.Check(is.MaxMsgsPerSubject <= 0, "max_msgs_per_subject", "must not be limited: histories would lose their beginning")
	v.Check(is.MaxMsgs <= 0 && is.MaxBytes <= 0 || is.Discard == natsjs.DiscardNew, "discard", "must be new: a full stream must refuse what is new, not forget what is old")
	v.Check(is.AllowDirect, "allow_direct", "must be allowed")
	v.Check(is.AllowAtomicPublish, "allow_atomic", "must be allowed")
	return v.Err()
}

func (s *stream) info(ctx context.Context) (*natsjs.StreamInfo, error) {
	handle, err := s.js.Stream(ctx, s.name)
	if err != nil {
		return nil, err
	}
	return handle.CachedInfo(), nil
}

// An apiError is what a server answers instead of what it was asked for.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.ErrCode) }

// The errors of servers that mean something to a store.
const (
	noMessage         = 10037
	wrongSequence     = 10071
	wrongSequenceNow  = 10164 // while another is under way
	batchMissingStart = 10175
	batchIncomplete   = 10176
)

func (e *apiError) conflict() bool {
	return e.ErrCode == wrongSequence || e.ErrCode == wrongSequenceNow
}

// transient reports whether another try may be answered: the cluster elects a
// leader, the connection is being made again, a server has too much to do.
func transient(err error) bool {
	if api := (*apiError)(nil); errors.As(err, &api) {
		return api.Code >= 500 || api.Code == 429 || api.ErrCode == batchMissingStart || api.ErrCode == batchIncomplete
	}
	if api := (*natsjs.APIError)(nil); errors.As(err, &api) {
		return api.Code >= 500
	}
	for _, one := range []error{
		errBehind, errNotConnected, errLost, errSilent, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionReconnecting,
		nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, natsjs.ErrNoStreamResponse,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

var (
	errNotConnected = errors.New("not connected")
	errLost         = errors.New("the connection was lost")
	errSilent       = fmt.Errorf("no answer in %v", attempt)
)

// A watch ends an attempt that cannot be answered any more. Only what takes
// longer than a tick notices it.
type watch struct {
	*stream
	end        context.CancelCauseFunc
	silent     time.Time
	reconnects uint64
	mu         sync.Mutex // until timer is there
	timer      *time.Timer
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.nc.IsConnected() || w.nc.Stats().Reconnects != w.reconnects:
		w.end(errLost)
	case !time.Now().Before(w.silent):
		w.end(errSilent)
	default:
		w.timer.Reset(tick)
	}
}

// once makes one attempt. Nothing is sent while there is no connection: it
// would be kept, and sent when nobody waits for it any more.
func (s *stream) once(ctx context.Context, try func(ctx context.Context) error) error {
	if !s.nc.IsConnected() && !s.nc.IsClosed() {
		return errNotConnected
	}
	watched, end := context.WithCancelCause(ctx)
	w := &watch{stream: s, end: end, silent: time.Now().Add(attempt), reconnects: s.nc.Stats().Reconnects}
	w.mu.Lock()
	w.timer = time.AfterFunc(tick, w.look)
	w.mu.Unlock()
	defer func() {
		w.timer.Stop()
		end(nil)
	}()
	err := try(watched)
	if err != nil && watched.Err() != nil && ctx.Err() == nil {
		err = context.Cause(watched)
	}
	return err
}

// patiently tries until there is an answer, or patience or the context ends.
func (s *stream) patiently(ctx context.Context, call string, try func(ctx context.Context) error) error {
	var ends time.Time
	for n := 1; ; n++ {
		err := s.once(ctx, try)
		if err == nil || ctx.Err() == nil && !transient(err) {
			return err
		}
		if ends.IsZero() {
			ends = time.Now().Add(s.Patience)
		}
		if ended := s.retry(ctx, call, n, err, ends); ended != nil {
			return ended
		}
	}
}

// retry waits before the next try: a random time of up to 1 ms, doubled each time
// up to 128 ms. It returns an error instead if there is to be none.
func (s *stream) retry(ctx context.Context, call string, n int, err error, ends time.Time) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if time.Now().After(ends) {
		return fmt.Errorf("no answer in %v: %w", s.Patience, err)
	}
	if s.Retry != nil {
		if api := (*apiError)(nil); errors.As(err, &api) && api.conflict() {
			err = fmt.Errorf("%w: %w", itsm.ErrConflict, err)
		}
		s.Retry(ctx, call, n, err)
	}
	timer := time.NewTimer(randv2.N(time.Millisecond << min(n-1, 7)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer is what a server's answers to requests about messages have in common.
type answer struct {
	Error   *apiError `json:"error"`
	Message struct {
		Seq  uint64 `json:"seq"`
		Data []byte `json:"data"`
	} `json:"message"`
	Seq   uint64 `json:"seq"`   // of a publish
	Count int    `json:"count"` // of a batch
}

func readAnswer(data []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return answer{}, fmt.Errorf("a server's answer: %w", err)
	}
	if a.Error != nil {
		return answer{}, a.Error
	}
	return a, nil
}

// publish sends messages and returns the sequence of the first. Several are
// written all or none, one after the other.
func (s *stream) publish(ctx context.Context, messages ...*nats.Msg) (first uint64, err error) {
	last := messages[len(messages)-1]
	if len(messages) > 1 {
		batch := nats.NewInbox()[len(nats.InboxPrefix):]
		for i, m := range messages {
			m.Header["Nats-Batch-Id"] = []string{batch}
			m.Header["Nats-Batch-Sequence"] = []string{fmt.Sprint(i + 1)}
			if m == last {
				m.Header["Nats-Batch-Commit"] = []string{"1"}
			} else if err := s.nc.PublishMsg(m); err != nil {
				return 0, err
			}
		}
	}
	reply, err := s.nc.RequestMsgWithContext(ctx, last)
	if err != nil {
		return 0, err
	}
	a, err := readAnswer(reply.Data)
	return a.Seq - uint64(len(messages)) + 1, err
}
