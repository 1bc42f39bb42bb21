package dataservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/once-only/oots/edm"
	"github.com/once-only/oots/exchange"
	"github.com/once-only/oots/sdg"
)

// Folder is a register in a directory of files: every folder below Dir with a
// record.json is one piece of evidence, its documents beside it.
//
//	{
//	  "evidenceType": "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/FI/…",
//	  "holder": "1", "title": "Diploma", "issuedOn": "2018-06-02",
//	  "subject": {"naturalPerson": {"FamilyName": "Alpha", "GivenName": "Demo", "DateOfBirth": "1999-04-17"}},
//	  "forms": [{"file": "diploma.pdf", "mediaType": "application/pdf", "language": "FI"}],
//	  "supplements": [{"file": "diploma-en.pdf", "kind": "Translation", "mediaType": "application/pdf", "language": "EN"}]
//	}
//
// Changes are seen by the next query.
type Folder struct{ Dir string }

// folderRecord is record.json.
type folderRecord struct {
	EvidenceType string           `json:"evidenceType"`
	Holder       string           `json:"holder"`
	Title        string           `json:"title"`
	IssuedOn     string           `json:"issuedOn"`
	Validity     *sdg.Period      `json:"validity"`
	Authority    *sdg.Agent       `json:"authority"`
	AvailableAt  time.Time        `json:"availableAt"`
	Subject      exchange.Subject `json:"subject"`
	Forms        []folderFile     `json:"forms"`
	Supplements  []folderFile     `json:"supplements"`
}

type folderFile struct {
	File      string           `json:"file"`
	Kind      edm.DocumentKind `json:"kind"`
	Title     string           `json:"title"`
	MediaType string           `json:"mediaType"`
	Language  string           `json:"language"`
	Model     string           `json:"model"`
}

// maxRecord bounds record.json.
const maxRecord = 64 << 10

// Records reads every record.json and the documents of those that could be
// meant. The folder cannot be left by a name in it.
func (f Folder) Records(ctx context.Context, q *exchange.Query) (*exchange.Records, error) {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	defer root.Close()
	wanted, out := q.Subject(), &exchange.Records{}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "record.json" {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		src, err := readBounded(root, name, maxRecord)
		if err != nil {
			return err
		}
		var r folderRecord
		if err := json.Unmarshal(src, &r); err != nil {
			return fmt.Errorf("data folder: %s: %w", name, err)
		}
		if r.EvidenceType != q.Request.Evidence.Classification || !couldBe(wanted, r.Subject) {
			return nil
		}
		if len(out.All) == MaxRecords {
			return errTooMuch
		}
		record := exchange.Record{Holder: r.Holder, Subject: r.Subject, Piece: exchange.Piece{Title: r.Title, IssuedOn: r.IssuedOn, Validity: r.Validity, Authority: r.Authority}}
		if record.Piece.Forms, err = r.read(root, path.Dir(name), r.Forms); err != nil {
			return err
		}
		if record.Piece.Supplements, err = r.read(root, path.Dir(name), r.Supplements); err != nil {
			return err
		}
		if r.AvailableAt.After(out.AvailableAt) {
			out.AvailableAt = r.AvailableAt
		}
		out.All = append(out.All, record)
		return nil
	})
	return out, err
}

func (r *folderRecord) read(root *os.Root, dir string, files []folderFile) (out []exchange.File, err error) {
	for _, f := range files {
		data, err := readBounded(root, path.Join(dir, f.File), MaxFile)
		if err != nil {
			return nil, err
		}
		out = append(out, exchange.File{Kind: f.Kind, Title: f.Title, MediaType: f.MediaType, Language: f.Language, Model: f.Model, Data: data})
	}
	return out, nil
}

func readBounded(root *os.Root, name string, limit int64) ([]byte, error) {
	file, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooMuch
	}
	return data, err
}

// Add writes a record with its documents into a folder of its own name: how a
// demo or a test fills a register.
func (f Folder) Add(name, evidenceType string, r exchange.Record) error {
	if !fs.ValidPath(name) {
		return errors.New("data folder: bad name")
	}
	dir := filepath.Join(f.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	out := folderRecord{EvidenceType: evidenceType, Holder: r.Holder, Title: r.Piece.Title, IssuedOn: r.Piece.IssuedOn, Validity: r.Piece.Validity, Authority: r.Piece.Authority, Subject: r.Subject}
	write := func(into *[]folderFile, prefix string, files []exchange.File) error {
		for i, doc := range files {
			file := fmt.Sprintf("%s-%d", prefix, i)
			*into = append(*into, folderFile{File: file, Kind: doc.Kind, Title: doc.Title, MediaType: doc.MediaType, Language: doc.Language, Model: doc.Model})
			if err := os.WriteFile(filepath.Join(dir, file), doc.Data, 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	if err := errors.Join(write(&out.Forms, "form", r.Piece.Forms), write(&out.Supplements, "supplement", r.Piece.Supplements)); err != nil {
		return err
	}
	src, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "record.json"), slices.Concat(src, []byte("\n")), 0o600)
}
